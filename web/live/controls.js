/** The panel: galleries, sliders and switches, bound to the look. */

import { request } from "./api.js";
import { byId } from "./dom.js";
import { Gallery } from "./gallery.js";

const FAVOURITE = "mosaic"; // shown first to those who have chosen nothing yet; the server's default as well
const REFRESH_MS = 5_000; // new styles appear without a reload

/** @returns {Promise<import("./gallery.js").Style[]>} */
const ofServer = async () => (await request("api/styles")).json();

/** Keeps the panel and the look equal. */
export class Controls {
  /**
   * @param {import("./look.js").Look} look
   * @param {() => Promise<import("./gallery.js").Style[]>} [ask] for the styles
   * @param {number} [every] milliseconds, again; 0: once is enough
   */
  constructor(look, ask = ofServer, every = REFRESH_MS) {
    this.look = look;
    this.ask = ask;
    this.first = new Gallery(byId("gallery"));
    this.second = new Gallery(byId("second"));
    this.first.addEventListener("choose", (event) => {
      look.set({ style: event.detail });
      this.settle();
    });
    this.second.addEventListener("choose", (event) => look.set({ second: event.detail }));
    byId("strength").addEventListener("input", (event) => look.set({ strength: event.target.value / 100 }));
    byId("blend").addEventListener("input", (event) => look.set({ blend: event.target.value / 100 }));
    byId("colour").addEventListener("change", (event) => look.set({ preserveColour: event.target.checked }));
    byId("blend-on").addEventListener("change", (event) => look.set({ blending: event.target.checked }));
    look.addEventListener("change", () => this.show());
    if (every) setInterval(() => { if (!document.hidden) this.refresh().catch(() => {}); }, every);
    this.show();
  }

  /** Ask which styles there are. @throws {Problem} */
  async refresh() {
    this.first.show(await this.ask());
    this.settle();
    this.show();
  }

  /** Choose among the styles that there are, and a second one that is another than the first. */
  settle() {
    const { styles } = this.first;
    if (!styles.length) return;
    const { style, second } = this.look;
    const first = (this.first.find(style) ?? this.first.find(FAVOURITE) ?? styles[0]).name;
    const others = styles.filter(({ name }) => name !== first);
    const other = (others.find(({ name }) => name === second) ?? others[0] ?? styles[0]).name;
    if (first !== style || other !== second) this.look.set({ style: first, second: other });
  }

  /** Write the look into the panel. */
  show() {
    const { style, second, blending, blend, strength, preserveColour } = this.look;
    this.second.show(this.first.styles.filter(({ name }) => name !== style));
    if (this.first.chosen !== style) this.first.choose(style);
    if (this.second.chosen !== second) this.second.choose(second);
    percent("strength", strength);
    percent("blend", blend);
    byId("colour").checked = preserveColour;
    byId("blend-on").checked = blending;
    byId("blend-box").hidden = !blending;
    byId("blend-first").textContent = this.title(style);
    byId("blend-second").textContent = this.title(second);
    const { artist, licence } = this.first.find(style) ?? {};
    byId("credit").textContent = [artist, licence].filter(Boolean).join(" · ");
  }

  /** @param {string} name */
  title(name) {
    return this.first.find(name)?.title || name;
  }
}

/** @param {string} id of a slider of 0 to 100, with an output of its own @param {number} value 0 to 1 */
function percent(id, value) {
  const text = `${Math.round(100 * value)} %`;
  byId(id).value = String(Math.round(100 * value));
  byId(id).setAttribute("aria-valuetext", text);
  byId(`${id}-out`).textContent = text;
}
