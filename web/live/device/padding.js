/** Between a canvas and the network: RGBA of any size, and RGB with a reflected border at multiples of the stride.
 *
 * As `pad` of streamer/runtime.py does it, so that both paint the same picture.
 */

/** @typedef {{stride: number, border: number}} Geometry pixels */

/** @param {number} side @param {Geometry} geometry @returns {number} of the padded frame */
export function paddedSide(side, { stride, border }) {
  return Math.ceil((side + 2 * border) / stride) * stride;
}

/**
 * Which row (or column) of a frame each one of the padded frame shows: reflected, without repeating the edge.
 * @param {number} side @param {Geometry} geometry @returns {Int32Array}
 */
function reflected(side, geometry) {
  const period = Math.max(2 * (side - 1), 1);
  return Int32Array.from({ length: paddedSide(side, geometry) }, (_, i) => {
    const place = (((i - geometry.border) % period) + period) % period;
    return side - 1 - Math.abs(side - 1 - place);
  });
}

/** Takes frames of one size in and out. */
export class Padding {
  /** @param {number} width @param {number} height @param {Geometry} geometry */
  constructor(width, height, geometry) {
    Object.assign(this, { width, height, border: geometry.border });
    this.rows = reflected(height, geometry);
    this.columns = reflected(width, geometry);
    this.frame = new Uint8Array(3 * this.rows.length * this.columns.length);
  }

  /** @param {Uint8ClampedArray} rgba (height, width, 4) @returns {Uint8Array} RGB with its border; reused by the next call */
  put(rgba) {
    let at = 0;
    for (const row of this.rows) {
      const start = row * this.width;
      for (const column of this.columns) {
        const from = 4 * (start + column);
        this.frame[at++] = rgba[from];
        this.frame[at++] = rgba[from + 1];
        this.frame[at++] = rgba[from + 2];
      }
    }
    return this.frame;
  }

  /** @param {Uint8Array} padded RGB @returns {Uint8ClampedArray} RGBA (height, width, 4), opaque */
  crop(padded) {
    const rgba = new Uint8ClampedArray(4 * this.width * this.height);
    let at = 0;
    for (let y = 0; y < this.height; y++) {
      let from = 3 * ((y + this.border) * this.columns.length + this.border);
      for (let x = 0; x < this.width; x++) {
        rgba[at++] = padded[from++];
        rgba[at++] = padded[from++];
        rgba[at++] = padded[from++];
        rgba[at++] = 255;
      }
    }
    return rgba;
  }
}
