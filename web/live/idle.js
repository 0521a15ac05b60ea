/** The sample picture, before anything is started: painted by the server once for each style, mixed here at once.
 *
 * Strength is opacity, a blend is one painting over the other, and colours are kept by the blend mode "luminosity",
 * which takes the light of the painting and the colours of what lies below. Near enough for a foretaste.
 */

import { pictureAddress } from "./api.js";
import { Coalesced } from "./coalesced.js";

/** Owns the two paintings over the sample. */
export class Idle {
  /** @param {HTMLElement} paint holds two images @param {HTMLImageElement} first @param {HTMLImageElement} second */
  constructor(paint, first, second) {
    this.paint = paint;
    this.first = first;
    this.second = second;
    this.requests = new Coalesced((look) => this.load(look));
  }

  /** @param {import("./look.js").Look} look */
  show(look) {
    const { style, strength, preserveColour, blending, blend } = look;
    this.paint.style.opacity = String(strength);
    this.paint.style.mixBlendMode = preserveColour ? "luminosity" : "normal";
    this.second.style.opacity = String(blending ? blend : 0);
    if (style) this.requests.send({ style, second: blending ? look.second : "" }).catch(() => {}); // the sample will do
  }

  async load({ style, second }) {
    await Promise.all([place(this.first, style), second && place(this.second, second)]);
  }
}

/** Show a style's painting when it is here whole; until then what was there stays. */
async function place(image, style) {
  if (image.dataset.style === style) return;
  const fresh = new Image();
  fresh.src = await pictureAddress(`api/styles/${encodeURIComponent(style)}/sample.jpg`);
  await fresh.decode();
  image.src = fresh.src;
  image.dataset.style = style;
  image.hidden = false;
}
