/** The style network on this device: LiteRT.js on the graphics processor by WebGPU, or on the processor by WebAssembly. */

import { sized } from "./graph.js";
import { paddedSide, Padding } from "./padding.js";

const RUNTIME = new URL("../runtime/", import.meta.url);
const MOST_THREADS = 8; // small layers gain nothing from more
const SOFTWARE = /swiftshader|llvmpipe|basic render/i; // adapters that only pretend: slower than WebAssembly
const GZIP = [0x1f, 0x8b];

/** What cannot be had here; `code` is one of messages.js. */
export class Unavailable extends Error {
  /** @param {string} code @param {string} sentence */
  constructor(code, sentence) {
    super(sentence);
    this.code = code;
  }
}

/** @returns {Promise<boolean>} whether WebGPU reaches a graphics processor, and no imitation */
async function hasGraphics() {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }).catch(() => null);
  if (!adapter) return false;
  const { isFallbackAdapter, architecture, description } = adapter.info ?? {};
  return !(adapter.isFallbackAdapter || isFallbackAdapter || SOFTWARE.test(`${architecture} ${description}`));
}

/** @param {string} name @returns {Promise<Uint8Array>} a packed file of the runtime; a host may have unpacked it already */
async function unpacked(name) {
  const response = await fetch(new URL(name, RUNTIME)).catch(() => null);
  if (!response?.ok) throw new Unavailable("runtime-missing", `${name} is not here.`);
  const packed = new Uint8Array(await response.arrayBuffer());
  if (!GZIP.every((byte, i) => packed[i] === byte)) return packed;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @returns {Promise<object>} the module of LiteRT.js */
async function importRuntime() {
  return import(new URL("litert.js", RUNTIME).href).catch(() => {
    throw new Unavailable("runtime-missing", "litert.js is not here.");
  });
}

/**
 * Start LiteRT.js: with threads where the page is isolated from other origins, as browsers ask of shared memory.
 * @param {object} litert its module @param {number} threads wished
 * @returns {Promise<number>} how many there are
 */
async function start(litert, threads) {
  const relaxed = await litert.supportsFeature("relaxedSimd");
  const several = relaxed && threads > 1 && self.crossOriginIsolated && (await litert.supportsFeature("threads"));
  const build = several ? "litert_wasm_threaded_internal" : relaxed ? "litert_wasm_internal" : "litert_wasm_compat_internal";
  const script = new URL(`${build}.js`, RUNTIME).href;
  const quiet = () => {};
  // Read by the script: its binary, where its threads find it, and that it need not tell the console of its doings.
  self.Module = { wasmBinary: await unpacked(`${build}.wasm.gz`), mainScriptUrlOrBlob: script, print: quiet, printErr: quiet };
  await litert.loadLiteRt(script);
  return several ? threads : 1;
}

/** A graph, on one device, for one size at a time. */
export class Network {
  /**
   * @param {Uint8Array} graph a `.tflite` file with open sizes
   * @param {{stride: number, border: number}} geometry
   * @param {{device?: "webgpu" | "wasm"}} wish a device; without one, the best that there is
   * @returns {Promise<Network>}
   * @throws {Unavailable}
   */
  static async load(graph, geometry, { device } = {}) {
    if (typeof WebAssembly !== "object") throw new Unavailable("device-unfit", "This browser has no WebAssembly.");
    const litert = await importRuntime();
    const threads = await start(litert, Math.min(navigator.hardwareConcurrency ?? 1, MOST_THREADS));
    const network = new Network(litert, graph, geometry, threads);
    network.accelerator = device ?? ((await hasGraphics()) ? "webgpu" : "wasm");
    return network;
  }

  constructor(litert, graph, geometry, threads) {
    Object.assign(this, { litert, graph, geometry, threads });
    this.accelerator = "wasm";
    this.model = null;
    this.padding = null;
  }

  /** @returns {string} for people */
  get device() {
    if (this.accelerator === "webgpu") return "WebGPU";
    return this.threads === 1 ? "WASM, 1 thread" : `WASM, ${this.threads} threads`;
  }

  /** Make ready for frames of a size; what LiteRT cannot run by WebGPU is run by WebAssembly from then on. */
  async prepare(width, height) {
    if (this.padding?.width === width && this.padding.height === height) return;
    this.model?.delete();
    this.model = this.padding = null;
    try {
      this.model = await this.compile(width, height);
    } catch (error) {
      if (this.accelerator !== "webgpu") throw error;
      this.accelerator = "wasm";
      this.model = await this.compile(width, height);
    }
    this.padding = new Padding(width, height, this.geometry);
  }

  compile(width, height) {
    const graph = sized(this.graph, paddedSide(height, this.geometry), paddedSide(width, this.geometry));
    return this.litert.loadAndCompile(graph, {
      accelerator: this.accelerator,
      cpuOptions: { numThreads: this.threads },
      gpuOptions: { precision: "fp32" }, // as on the server; half precision loses the statistics
    });
  }

  /**
   * @param {{data: Uint8ClampedArray, width: number, height: number}} frame RGBA
   * @param {Float32Array} modulation @param {Float32Array} given @param {number} carry see streamer/model.py
   * @returns {Promise<{painted: Uint8ClampedArray, used: Float32Array}>}
   */
  async run({ data, width, height }, modulation, given, carry) {
    await this.prepare(width, height);
    const { padding } = this;
    const tensor = (values, ...shape) => new this.litert.Tensor(values, shape);
    const inputs = {
      frames: tensor(padding.put(data), 1, padding.rows.length, padding.columns.length, 3),
      modulation: tensor(modulation, 1, modulation.length),
      given: tensor(given, 1, given.length),
      mix: tensor(Float32Array.of(1 - carry), 1, 1),
      carry: tensor(Float32Array.of(carry), 1, 1),
    };
    let outputs = {};
    try {
      outputs = await this.model.run(inputs);
      const [frames, used] = await Promise.all([outputs.frames.data(), outputs.used.data()]);
      return { painted: padding.crop(frames), used };
    } finally {
      for (const each of [...Object.values(inputs), ...Object.values(outputs)]) each.delete();
    }
  }
}
