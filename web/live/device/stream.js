/** One stream of frames, or single pictures, through the network. As `StyleStream` of streamer/engine.py. */

import { CutDetector } from "./cuts.js";

/** Luminance of the painted frame, colour differences of the original (BT.601); both RGBA, the first is changed. */
function keepColours(painted, original) {
  for (let i = 0; i < painted.length; i += 4) {
    const light = 0.299 * (painted[i] - original[i]) + 0.587 * (painted[i + 1] - original[i + 1])
      + 0.114 * (painted[i + 2] - original[i + 2]);
    for (let channel = i; channel < i + 3; channel++) painted[channel] = original[channel] + light; // clamps
  }
}

/** What a frame's statistics were normalised by goes on with the next; a scene cut starts anew. */
export class StyleStream {
  /** @param {import("./network.js").Network} network @param {{statistics: number, smoothing: number}} facts smoothing: seconds */
  constructor(network, { statistics, smoothing }) {
    this.network = network;
    this.smoothing = smoothing;
    this.nothing = new Float32Array(statistics);
    this.begin();
  }

  /** Forget what was before. */
  begin() {
    this.cuts = new CutDetector();
    this.used = this.nothing;
    this.time = 0;
  }

  /** How much of its predecessor's statistics a frame shown at `time` (seconds) keeps. Notes the time. */
  carry(time, cut) {
    const elapsed = time - this.time;
    this.time = time;
    return cut ? 0 : Math.exp(-Math.max(elapsed, 0) / this.smoothing);
  }

  /**
   * @param {{data: Uint8ClampedArray, width: number, height: number}} frame RGBA
   * @param {{modulation: Float32Array, strength: number, preserveColour: boolean}} look
   * @param {number | null} time in seconds; null for a picture of its own, which leaves the stream as it was
   * @returns {Promise<Uint8ClampedArray>} RGBA of the same size
   */
  async paint(frame, { modulation, strength, preserveColour }, time) {
    const { data, width, height } = frame;
    if (strength === 0) return data.slice();
    const carry = time === null ? 0 : this.carry(time, this.cuts.isCut(data, width, height));
    const { painted, used } = await this.network.run(frame, modulation, time === null ? this.nothing : this.used, carry);
    if (time !== null) this.used = used;
    if (preserveColour) keepColours(painted, data);
    return painted;
  }
}
