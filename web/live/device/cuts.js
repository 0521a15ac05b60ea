/** Scene cuts: where a stream's past stops to mean anything for its next frame. streamer/scenes.py, for the browser. */

const WIDE = 32; // of the thumbnail
const HIGH = 18;
const CELLS = WIDE * HIGH;
const BINS = 16; // of each channel's histogram
const NOISE = 4; // grey levels; below this contrast a thumbnail has no layout to compare
const MEMORY = 8; // frames whose change is taken for this scene's usual motion
const JUMP_RATIO = 6;
const JUMP_LEVELS = 10;
const LAYOUT_THRESHOLD = 0.5;
const COLOUR_THRESHOLD = 0.18;

/** @param {number[]} values @returns {number} */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * How a side is divided into cells: for each cell its pixels, and how much of each belongs to it.
 * @param {number} side @param {number} cells @returns {{first: number, weights: number[]}[]}
 */
function shares(side, cells) {
  return Array.from({ length: cells }, (_, cell) => {
    const from = (cell * side) / cells;
    const to = ((cell + 1) * side) / cells;
    const first = Math.floor(from);
    const last = Math.min(Math.ceil(to), side);
    const parts = Array.from({ length: last - first }, (_, i) => Math.min(first + i + 1, to) - Math.max(first + i, from));
    return { first, weights: parts.map((part) => part / (to - from)) };
  });
}

/** @param {Uint8ClampedArray} rgba @param {number} width @param {number} height @returns {Float32Array} (18, 32, 3) levels */
function thumbnail(rgba, width, height) {
  const columns = shares(width, WIDE);
  const small = new Float32Array(3 * CELLS);
  shares(height, HIGH).forEach((row, y) => row.weights.forEach((down, i) => {
    const start = (row.first + i) * width;
    columns.forEach(({ first, weights }, x) => weights.forEach((across, j) => {
      const from = 4 * (start + first + j);
      for (let channel = 0; channel < 3; channel++) small[3 * (y * WIDE + x) + channel] += down * across * rgba[from + channel];
    }));
  }));
  return small.map(Math.round);
}

/** A frame, small: colours without each channel's mean, since light may change within a scene; grey layout; histogram. */
function summary(rgba, width, height) {
  const colours = thumbnail(rgba, width, height);
  const histogram = new Float32Array(3 * BINS);
  const means = [0, 0, 0];
  colours.forEach((level, i) => {
    histogram[(i % 3) * BINS + Math.floor(level / (256 / BINS))] += 1 / colours.length;
    means[i % 3] += level / CELLS;
  });
  colours.forEach((level, i) => { colours[i] = level - means[i % 3]; });
  const layout = Float32Array.from({ length: CELLS }, (_, i) => (colours[3 * i] + colours[3 * i + 1] + colours[3 * i + 2]) / 3);
  return { colours, histogram, layout };
}

/** @returns {number} mean of what `join` makes of each pair */
function pairs(first, second, join) {
  let sum = 0;
  for (let i = 0; i < first.length; i++) sum += join(first[i], second[i]);
  return sum / first.length;
}

/** Another layout and other colours: motion changes the first, light the second. */
function isAnotherPlace(before, now) {
  const product = (one, two) => pairs(one, two, (a, b) => a * b);
  const power = (layout) => product(layout, layout) + NOISE ** 2;
  const layout = 1 - product(before.layout, now.layout) / Math.sqrt(power(before.layout) * power(now.layout));
  const colour = (pairs(before.histogram, now.histogram, (a, b) => Math.abs(a - b)) * before.histogram.length) / 2;
  return layout > LAYOUT_THRESHOLD && colour > COLOUR_THRESHOLD;
}

/** Tells for each frame of one stream whether it begins a new scene. */
export class CutDetector {
  constructor() {
    this.before = null;
    /** @type {number[]} */
    this.changes = [];
  }

  /** @param {Uint8ClampedArray} rgba @param {number} width @param {number} height @returns {boolean} also for the first */
  isCut(rgba, width, height) {
    const { before } = this;
    const now = summary(rgba, width, height);
    this.before = now;
    if (!before) return true;
    const change = pairs(before.colours, now.colours, (a, b) => Math.abs(a - b));
    const usual = this.changes.length ? 1 + mean(this.changes) : Infinity;
    const cut = (change > JUMP_LEVELS && change > JUMP_RATIO * usual) || isAnotherPlace(before, now);
    this.changes = cut ? [] : [...this.changes, change].slice(-MEMORY);
    return cut;
  }
}
