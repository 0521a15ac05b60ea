/** How the picture should look, as this page keeps it. */

import { keep, kept } from "./dom.js";

const FIELDS = ["style", "second", "blending", "blend", "strength", "preserveColour"];

/** What is chosen; told to whoever listens for "change". Remembered for the next visit. */
export class Look extends EventTarget {
  constructor() {
    super();
    Object.assign(this, { style: "", second: "", blending: false, blend: 0.5, strength: 1, preserveColour: false });
    this.recall();
  }

  /** @param {Partial<Look>} wish */
  set(wish) {
    Object.assign(this, wish);
    keep("look", JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, this[name]]))));
    this.dispatchEvent(new Event("change"));
  }

  recall() {
    try {
      const before = JSON.parse(kept("look") ?? "{}");
      for (const name of FIELDS) if (typeof before[name] === typeof this[name]) this[name] = before[name];
    } catch {
      // Not ours, or damaged: begin anew.
    }
  }

  /** @returns {string} `mosaic`, or a blend such as `mosaic:0.7,great_wave:0.3` */
  get spec() {
    if (!this.blending || !this.second || this.second === this.style || this.blend <= 0) return this.style;
    if (this.blend >= 1) return this.second;
    return `${this.style}:${(1 - this.blend).toFixed(2)},${this.second}:${this.blend.toFixed(2)}`;
  }

  /** @returns {{style: string, strength: number, preserve_color: boolean}} as the server takes it */
  get wire() {
    return { style: this.spec, strength: this.strength, preserve_color: this.preserveColour };
  }
}
