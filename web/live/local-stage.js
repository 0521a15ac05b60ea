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

  /** @param {import("./feed.js").Shown} shown */
  show({ before, after }) {
    for (const [canvas, picture] of [[this.before, before], [this.after, after]]) {
      const { width, height } = picture;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      canvas.getContext("2d").drawImage(picture, 0, 0);
    }
    this.shapeTo(before.width / before.height);
    this.painted = true;
    this.frame.classList.add("painted");
  }
}
