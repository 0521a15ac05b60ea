/** The size of a graph.
 *
 * Our `.tflite` graphs take frames of any size: LiteRT is asked for one when it makes room. LiteRT.js (2.5) has no such
 * question and refuses graphs whose size is open. So the wished size is written into the bytes before they are loaded:
 * into the shapes of the graph's inputs and outputs. Those in between LiteRT works out itself.
 */

// Places in the flatbuffer tables of TensorFlow Lite's schema.
const MODEL_SUBGRAPHS = 2;
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2 };
const TENSOR = { shape: 0, signature: 7 };
const OPEN = -1; // a side that may be anything

/** Reads little-endian flatbuffers: tables whose fields are found by way of a table of offsets, and vectors of words. */
class Flatbuffer {
  /** @param {Uint8Array} bytes @throws {RangeError} wherever it leads outside */
  constructor(bytes) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @param {number} at @returns {number} where the offset kept there leads */
  follow(at) {
    return at + this.view.getUint32(at, true);
  }

  /** @param {number} table @param {number} field @returns {number[]} where each word of that vector is; none if absent */
  vector(table, field) {
    const offsets = table - this.view.getInt32(table, true);
    const entry = 4 + 2 * field;
    const place = entry < this.view.getUint16(offsets, true) ? this.view.getUint16(offsets + entry, true) : 0;
    if (!place) return [];
    const start = this.follow(table + place);
    return Array.from({ length: this.view.getUint32(start, true) }, (_, i) => start + 4 + 4 * i);
  }

  /** @param {number} at @returns {number} */
  read(at) {
    return this.view.getInt32(at, true);
  }

  /** @param {number} at @param {number} value */
  write(at, value) {
    this.view.setInt32(at, value, true);
  }
}

/**
 * The same graph for one frame of one size.
 * @param {Uint8Array} graph a `.tflite` file with open sizes
 * @param {number} height of the frames that it is given, padded @param {number} width
 * @returns {Uint8Array} a copy
 * @throws {Error} when it is no such file
 */
export function sized(graph, height, width) {
  const copy = graph.slice();
  const buffer = new Flatbuffer(copy);
  try {
    const [subgraph] = buffer.vector(buffer.follow(0), MODEL_SUBGRAPHS).map((at) => buffer.follow(at));
    const tensors = buffer.vector(subgraph, SUBGRAPH.tensors).map((at) => buffer.follow(at));
    const ends = [...buffer.vector(subgraph, SUBGRAPH.inputs), ...buffer.vector(subgraph, SUBGRAPH.outputs)];
    for (const end of ends) settle(buffer, tensors[buffer.read(end)], [1, height, width, 3]);
  } catch (error) {
    throw new Error("The graph is damaged: it is no TensorFlow Lite model.", { cause: error });
  }
  return copy;
}

/** Close what is open in one tensor's shape: frames take their size, all else is for one frame. */
function settle(buffer, tensor, frame) {
  const shape = buffer.vector(tensor, TENSOR.shape);
  const signature = buffer.vector(tensor, TENSOR.signature);
  signature.forEach((at, axis) => {
    if (buffer.read(at) !== OPEN) return;
    const side = shape.length === frame.length ? frame[axis] : 1;
    buffer.write(at, side);
    buffer.write(shape[axis], side);
  });
}
