/** The picture as it was, as late as the painted one comes back, so that both halves of a comparison show one moment. */

import { eachFrame } from "./source.js";

const MOST_FRAMES = 24;
const LEAST_SECONDS = 0.04; // less than this nobody sees

/** Keeps the newest frames of a video and draws those of `delay` seconds ago on a canvas over it. */
export class Late {
  /** @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas */
  constructor(video, canvas) {
    this.video = video;
    this.canvas = canvas;
    /** @type {{bitmap: ImageBitmap, at: number}[]} oldest first */
    this.frames = [];
    this.delay = 0;
    this.stopWatching = null;
  }

  start() {
    this.stopWatching ??= eachFrame(this.video, () => this.step());
  }

  stop() {
    this.stopWatching?.();
    this.stopWatching = null;
    this.canvas.hidden = true;
    this.drop(this.frames.length);
    this.delay = 0;
  }

  /** @param {number} seconds measured; taken slowly, so that the picture does not jump */
  follow(seconds) {
    if (Number.isFinite(seconds)) this.delay = this.delay ? 0.7 * this.delay + 0.3 * seconds : seconds;
  }

  async step() {
    const shown = this.video.offsetParent !== null && this.video.videoWidth; // not while nothing is compared
    if (this.delay < LEAST_SECONDS || !shown) {
      this.canvas.hidden = true;
      return;
    }
    const at = performance.now() / 1000;
    const bitmap = await createImageBitmap(this.video).catch(() => null);
    if (!bitmap) return;
    this.frames.push({ bitmap, at });
    const due = this.frames.findLastIndex((frame) => frame.at <= at - this.delay);
    this.drop(Math.max(due, this.frames.length - MOST_FRAMES));
    if (due >= 0 && this.stopWatching) this.draw(this.frames[0].bitmap);
  }

  /** @param {ImageBitmap} bitmap */
  draw(bitmap) {
    const { width, height } = bitmap;
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    this.canvas.getContext("2d").drawImage(bitmap, 0, 0);
    this.canvas.hidden = false;
  }

  /** Forget the oldest. @param {number} count */
  drop(count) {
    for (const { bitmap } of this.frames.splice(0, Math.max(0, count))) bitmap.close();
  }
}
