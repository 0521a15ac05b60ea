/** The picture of the page that paints by itself: two canvases, which always show the same moment. */

import { Frame } from "./frame.js";

/** Owns the section with id="stage". */
export class LocalStage extends Frame {
  /** @param {HTMLElement} section */
  constructor(section) {
    super(section);
    this.before = section.querySelector("#before");
    this.after = section.querySelector("#after");
    this.painted = false;
  }

  /** @param {import("./painter.js").Painted} painted */
  show({ width, height, before, after }) {
    for (const [canvas, pixels] of [[this.before, before], [this.after, after]]) {
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
    }
    this.shapeTo(width / height);
    this.painted = true;
    this.frame.classList.add("painted");
  }
}
