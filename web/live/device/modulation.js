/** What a look means to the network: the rows of its styles, blended; strength. As `resolve` of streamer/styles.py. */

/** @typedef {{name: string, title: string, artist: string, licence: string, thumbnail: string, modulation: string}} PackedStyle */

/** @param {string} text base64 of little-endian float32 @returns {Float32Array} */
export function unpackFloats(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** @param {string} spec `mosaic`, or a blend such as `mosaic:0.7,great_wave:0.3` @returns {Map<string, number>} summing to 1 */
export function parseBlend(spec) {
  const weights = new Map();
  for (const part of spec.split(",")) {
    const [name, weight = "1"] = part.trim().split(":");
    weights.set(name, (weights.get(name) ?? 0) + Number(weight));
  }
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) throw new Error(`The weights of a blend must not all be 0; received "${spec}".`);
  return new Map([...weights].map(([name, weight]) => [name, weight / total]));
}

/**
 * @param {Map<string, Float32Array>} rows of the styles that there are
 * @param {string} spec @param {number} strength 0 to 1 @param {number[]} unpainted output terms that give the input back
 * @returns {Float32Array}
 * @throws {Error} for a style that is not there
 */
export function resolve(rows, spec, strength, unpainted) {
  const blend = [];
  for (const [name, weight] of parseBlend(spec)) {
    const row = rows.get(name);
    if (!row) throw new Error(`There is no style "${name}" here.`);
    row.forEach((value, i) => { blend[i] = (blend[i] ?? 0) + weight * value; });
  }
  const tail = blend.length - unpainted.length;
  unpainted.forEach((term, i) => { blend[tail + i] = (1 - strength) * term + strength * blend[tail + i]; });
  return Float32Array.from(blend);
}
