/** At which size this device keeps pace: measured as it goes. Pure; it reads no clock. */

/** Long sides, in pixels. */
export const SIDES = [128, 160, 192, 256, 320, 400, 480, 640, 800, 960];
const FIRST = { wasm: 256, webgpu: 480 };
const BUDGET_MS = 1000 / 24; // a frame, from grabbing it to having it painted
const TOO_SLOW = 1.25; // of the budget: smaller at once
const ROOM = 0.75; // of the budget, at the next size: larger
const LOOKS = 8; // frames whose median is judged
const PATIENCE = 6; // judgements before a size that was too slow is tried again; twice as many after each failure

/** @param {number[]} values @returns {number} */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Chooses the long side of the frames to be painted. */
export class Pace {
  /** @param {"wasm" | "webgpu"} accelerator @param {number} [fixed] a long side that was asked for */
  constructor(accelerator, fixed = 0) {
    this.fixed = fixed;
    this.side = fixed || FIRST[accelerator];
    this.wait = 0;
    this.refused = Infinity; // the smallest that was too slow, ...
    this.patience = PATIENCE; // ... and how long that is remembered
    /** @type {number[]} */
    this.times = [];
    this.skip = 1; // the first frame of a size waits for the graph
  }

  /** @param {number} ms that a frame of this size took; may change `side` */
  note(ms) {
    if (this.fixed) return;
    if (this.skip > 0) {
      this.skip--;
      return;
    }
    this.times.push(ms);
    if (this.times.length < LOOKS) return;
    const usual = median(this.times);
    this.times = [];
    if (this.wait > 0 && --this.wait === 0) this.refused = Infinity; // the device may have been busy just then
    const at = SIDES.indexOf(this.side);
    const next = SIDES[at + 1];
    if (usual > TOO_SLOW * BUDGET_MS && at > 0) this.lower(usual, at);
    else if (next < this.refused && usual * (next / this.side) ** 2 < ROOM * BUDGET_MS) this.move(next);
  }

  /** As far down as the measured time says. */
  lower(usual, at) {
    this.refused = this.side;
    this.wait = this.patience;
    this.patience *= 2;
    const fits = SIDES.slice(0, at).filter((side) => usual * (side / this.side) ** 2 <= BUDGET_MS);
    this.move(fits.at(-1) ?? SIDES[0]);
  }

  move(side) {
    this.side = side;
    this.skip = 1;
  }

  /** @param {number} width @param {number} height of what comes @returns {{width: number, height: number}} even, never larger */
  size(width, height) {
    const scale = Math.min(1, this.side / Math.max(width, height));
    const even = (side) => Math.max(2, 2 * Math.round((side * scale) / 2));
    return scale === 1 ? { width, height } : { width: even(width), height: even(height) };
  }
}
