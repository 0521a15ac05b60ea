/** A playing video through the painter: while one frame is painted, of those that come only the newest is kept. */

import { Enlarger } from "./enlarge.js";
import { Problem } from "./messages.js";
import { Pace } from "./pace.js";
import { eachFrame } from "./source.js";

const TELL_MS = 1_000;

/**
 * @typedef {object} Shown one moment before and after; to be drawn at once, for the next one takes their place
 * @property {ImageBitmap | HTMLCanvasElement} before @property {ImageBitmap | HTMLCanvasElement} after
 */

/** Canvas of its own for what the painter gives back. @param {number} width @param {number} height */
function canvasOf(pixels, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas;
}

/** @param {import("./painter.js").Painted} painted @returns {Shown} as it was painted */
export function asPainted({ width, height, before, after }) {
  return { before: canvasOf(before, width, height), after: canvasOf(after, width, height) };
}

/**
 * Events: "painted" (detail: Shown), "figures" (detail: as ledger.js has them, with `device`),
 * "broken" (detail: Problem).
 */
export class Feed extends EventTarget {
  /** @param {import("./painter.js").Painter} painter @param {() => {spec: string, strength: number, preserveColour: boolean}} look asked for each frame @param {number} [side] fixed */
  constructor(painter, look, side = 0) {
    super();
    Object.assign(this, { painter, look });
    this.pace = new Pace(painter.accelerator, side);
    this.enlarger = Enlarger.make();
    this.fresh = false; // a frame came that nobody has taken
    this.busy = false;
    this.over = false;
    this.video = null;
    this.restart();
    this.timer = setInterval(() => this.tell(), TELL_MS);
  }

  /** @param {HTMLVideoElement} video from now on */
  async follow(video) {
    this.stopWatching?.();
    this.video = video;
    await this.painter.begin();
    if (this.over) return;
    this.stopWatching = eachFrame(video, () => this.arrive());
  }

  /** @param {number} side a long side to keep to, 0 for whichever keeps pace */
  keepTo(side) {
    this.pace = new Pace(this.painter.accelerator, side);
  }

  arrive() {
    this.seen++;
    this.fresh = true;
    if (!this.busy) this.work();
  }

  /** Paint until no new frame is there. */
  async work() {
    this.busy = true;
    while (this.fresh && !this.over) {
      this.fresh = false;
      try {
        await this.one();
      } catch (error) {
        this.close();
        const problem = error instanceof Problem ? error : new Problem("device-failed", { sentence: String(error.message) });
        this.dispatchEvent(new CustomEvent("broken", { detail: problem }));
      }
    }
    this.busy = false;
  }

  async one() {
    const { video, pace } = this;
    if (!video.videoWidth) return;
    const began = performance.now();
    const look = this.look();
    const { width, height } = pace.size(video.videoWidth, video.videoHeight);
    const whole = await createImageBitmap(video);
    const small = await createImageBitmap(whole, { resizeWidth: width, resizeHeight: height, resizeQuality: "medium" });
    const painted = await this.painter.paint(small, look, began / 1000);
    pace.note(performance.now() - began);
    if (!this.over) this.show(whole, painted, look);
    whole.close();
    this.painted.push({ ms: performance.now() - began, work: painted.ms });
  }

  /** @param {ImageBitmap} whole @param {import("./painter.js").Painted} painted */
  show(whole, painted, { strength, preserveColour }) {
    this.last = painted;
    let after = whole;
    if (strength > 0 && painted.width < whole.width && this.enlarger && !this.enlarger.lost) {
      this.enlarger.draw(whole, painted, preserveColour);
      after = this.enlarger.canvas;
    } else if (strength > 0) {
      after = canvasOf(painted.after, painted.width, painted.height);
    }
    this.dispatchEvent(new CustomEvent("painted", { detail: { before: whole, after } }));
  }

  restart() {
    Object.assign(this, { since: performance.now(), seen: 0, painted: [] });
  }

  tell() {
    const seconds = (performance.now() - this.since) / 1000;
    const mean = (of) => this.painted.reduce((sum, one) => sum + of(one), 0) / this.painted.length;
    if (this.painted.length) {
      const style = mean(({ work }) => work);
      const detail = {
        device: this.painter.device,
        fpsIn: this.seen / seconds,
        fpsOut: this.painted.length / seconds,
        dropped: (this.dropped = (this.dropped ?? 0) + Math.max(0, this.seen - this.painted.length)),
        ms: { network: 0, decode: mean(({ ms }) => ms) - style, queue: 0, style, encode: 0 },
        total: mean(({ ms }) => ms),
        work: [this.last.width, this.last.height],
        frame: [this.video.videoWidth, this.video.videoHeight],
        lowered: false,
      };
      this.dispatchEvent(new CustomEvent("figures", { detail }));
    }
    this.restart();
  }

  close() {
    this.over = true;
    clearInterval(this.timer);
    this.stopWatching?.();
    this.enlarger?.close();
  }
}
