/** What the worker is asked, and what it answers; one question after the other. */

import { resolve, unpackFloats } from "./modulation.js";
import { Network } from "./network.js";
import { StyleStream } from "./stream.js";

/** @type {{network: Network, stream: StyleStream, unpainted: number[]} | null} */
let parts = null;
/** @type {Map<string, Float32Array>} */
let rows = new Map();
let canvas = null;

/** @returns {ImageData} of a bitmap, which is closed */
function pixels(bitmap) {
  const { width, height } = bitmap;
  if (canvas?.width !== width || canvas.height !== height) canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

const QUESTIONS = {
  /** Get ready. */
  async load({ graph, facts, device }) {
    const network = await Network.load(graph, facts, { device });
    parts = { network, stream: new StyleStream(network, facts), unpainted: facts.unpainted };
    return { device: network.device, accelerator: network.accelerator };
  },

  /** These styles there are now. */
  styles({ styles }) {
    rows = new Map(styles.map(({ name, modulation }) => [name, unpackFloats(modulation)]));
    return {};
  },

  /** The next frame comes from elsewhere. */
  begin() {
    parts.stream.begin();
    return {};
  },

  /** Paint a frame of the stream, or with time null a picture of its own. */
  async paint({ bitmap, look: { spec, strength, preserveColour }, time }) {
    const frame = pixels(bitmap);
    const modulation = resolve(rows, spec, strength, parts.unpainted);
    await parts.network.prepare(frame.width, frame.height); // not a part of every frame's time
    const began = performance.now();
    const painted = await parts.stream.paint(frame, { modulation, strength, preserveColour }, time);
    const { width, height, data } = frame;
    return { width, height, before: data, after: painted, ms: performance.now() - began, device: parts.network.device };
  },
};

/** @param {{kind: string}} question @returns {Promise<object>} its answer */
export async function answer(question) {
  return QUESTIONS[question.kind](question);
}
