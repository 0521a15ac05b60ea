/** The painter on this device: a worker with the network in it, asked one frame at a time. */

import { request } from "./api.js";
import { Problem } from "./messages.js";

const FACTS = "local/styles.json"; // below the page's root, on a server of ours as on any other
const LOAD_SECONDS = 90; // 3 MB over a slow line
const PAINT_SECONDS = 60; // a large picture on a slow phone

/**
 * @typedef {object} Painted
 * @property {number} width @property {number} height
 * @property {Uint8ClampedArray} before RGBA @property {Uint8ClampedArray} after RGBA
 * @property {number} ms that painting alone took
 * @property {string} device for people
 */

/** @typedef {{graph: string, server?: boolean, styles: import("./device/modulation.js").PackedStyle[]}} Facts */

/** @returns {Promise<Facts>} which styles there are, and how the network is fed @throws {Problem} */
export async function askFacts() {
  return (await request(FACTS)).json();
}

/** Event "broken" (detail: Problem): the worker is gone; nothing is painted any more. */
export class Painter extends EventTarget {
  /**
   * @param {Facts} facts
   * @param {{device?: "webgpu" | "wasm"}} [wish] a device; without one, the best that there is
   * @returns {Promise<Painter>}
   * @throws {Problem} the runtime or the graph is missing, or this browser cannot
   */
  static async open(facts, { device } = {}) {
    const graph = new Uint8Array(await (await request(facts.graph)).arrayBuffer());
    const painter = new Painter();
    try {
      const { device: name, accelerator } = await painter.ask({ kind: "load", graph, facts, device }, LOAD_SECONDS);
      Object.assign(painter, { device: name, accelerator });
      await painter.take(facts.styles);
    } catch (problem) {
      painter.close();
      throw problem;
    }
    return painter;
  }

  constructor() {
    super();
    this.device = "";
    /** @type {Set<string>} of the styles that can be painted */
    this.names = new Set();
    /** @type {Map<number, {answer: (said: object) => void, refuse: (problem: Problem) => void}>} */
    this.asked = new Map();
    this.count = 0;
    this.worker = new Worker(new URL("device/worker.js", import.meta.url));
    this.worker.addEventListener("message", ({ data }) => this.hear(data));
    this.worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.fail(new Problem("device-failed", { sentence: event.message }));
    });
  }

  /** The styles as styles.json has them: those that are new can be painted from now on. */
  async take(styles) {
    this.names = new Set(styles.map(({ name }) => name));
    await this.ask({ kind: "styles", styles: styles.map(({ name, modulation }) => ({ name, modulation })) });
  }

  /** The frames to come are another stream's. */
  async begin() {
    await this.ask({ kind: "begin" });
  }

  /**
   * @param {ImageBitmap} bitmap given away
   * @param {{spec: string, strength: number, preserveColour: boolean}} look
   * @param {number | null} time in seconds, of a frame in its stream; null for a picture of its own
   * @returns {Promise<Painted>}
   * @throws {Problem}
   */
  async paint(bitmap, look, time) {
    const { spec, strength, preserveColour } = look;
    const question = { kind: "paint", bitmap, look: { spec, strength, preserveColour }, time };
    const painted = await this.ask(question, PAINT_SECONDS, [bitmap]);
    this.device = painted.device;
    return painted;
  }

  /** @param {object} question @param {number} [seconds] @param {Transferable[]} [given] @returns {Promise<any>} */
  ask(question, seconds = LOAD_SECONDS, given = []) {
    const id = ++this.count;
    return new Promise((answer, refuse) => {
      const late = setTimeout(() => this.fail(new Problem("device-failed", { sentence: "It did not answer in time." })), 1000 * seconds);
      const settle = (pass) => (value) => { clearTimeout(late); pass(value); };
      this.asked.set(id, { answer: settle(answer), refuse: settle(refuse) });
      this.worker.postMessage({ id, ...question }, given);
    });
  }

  /** @param {{id: number, said?: object, failed?: {code?: string, sentence: string}}} message */
  hear({ id, said, failed }) {
    const { answer, refuse } = this.asked.get(id) ?? {};
    this.asked.delete(id);
    if (said) answer?.(said);
    else refuse?.(new Problem(failed.code ?? "device-failed", { sentence: failed.code ? "" : failed.sentence }));
  }

  /** All that was asked fails, and all that will be. @param {Problem} problem */
  fail(problem) {
    this.worker.terminate();
    for (const { refuse } of this.asked.values()) refuse(problem);
    this.asked.clear();
    this.dispatchEvent(new CustomEvent("broken", { detail: problem }));
  }

  close() {
    this.worker.terminate();
    this.asked.clear();
  }
}
