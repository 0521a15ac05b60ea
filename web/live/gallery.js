/** The styles as thumbnails to choose from: radio buttons, so that arrow keys and screen readers work. */

import { pictureAddress } from "./api.js";

/** @typedef {{name: string, title: string, artist: string, licence: string, thumbnail: string}} Style */

/** One wall of thumbnails. Event "choose" (detail: the style's name). */
export class Gallery extends EventTarget {
  /** @param {HTMLElement} wall an element with role="radiogroup" */
  constructor(wall) {
    super();
    this.wall = wall;
    /** @type {Style[]} */
    this.styles = [];
    this.chosen = "";
    wall.addEventListener("change", (event) => {
      this.chosen = event.target.value;
      this.dispatchEvent(new CustomEvent("choose", { detail: this.chosen }));
    });
  }

  /** Show these styles; what is there already stays as it is, with its focus. @param {Style[]} styles */
  show(styles) {
    this.styles = styles;
    const have = new Map([...this.wall.children].map((label) => [label.dataset.style, label]));
    const wanted = styles.map((style) => have.get(style.name) ?? this.thumb(style));
    const same = wanted.length === this.wall.children.length && wanted.every((label, i) => label === this.wall.children[i]);
    if (!same) this.wall.replaceChildren(...wanted);
    this.choose(this.chosen);
  }

  /** @param {string} name */
  choose(name) {
    this.chosen = name;
    for (const input of this.wall.querySelectorAll("input")) {
      const checked = input.value === name;
      input.checked = checked;
      if (checked) this.reveal(input.closest(".thumb"));
    }
  }

  /** Scroll the wall, never the page. @param {HTMLElement} thumb */
  reveal(thumb) {
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = thumb;
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.wall;
    if (offsetLeft < scrollLeft || offsetLeft + offsetWidth > scrollLeft + clientWidth) this.wall.scrollLeft = offsetLeft - 16;
    if (offsetTop < scrollTop || offsetTop + offsetHeight > scrollTop + clientHeight) this.wall.scrollTop = offsetTop - 8;
  }

  /** @param {string} name @returns {Style | undefined} */
  find(name) {
    return this.styles.find((style) => style.name === name);
  }

  /** @param {Style} style @returns {HTMLElement} */
  thumb(style) {
    const label = document.createElement("label");
    label.className = "thumb";
    label.dataset.style = style.name;
    label.title = [style.title, style.artist].filter(Boolean).join(", ");
    const input = Object.assign(document.createElement("input"), { type: "radio", name: this.wall.id, value: style.name });
    const image = Object.assign(document.createElement("img"), { alt: "", loading: "lazy", draggable: false });
    pictureAddress(style.thumbnail).then((address) => { image.src = address; }, () => {});
    const caption = document.createElement("span");
    caption.textContent = style.title || style.name;
    label.append(input, image, caption);
    return label;
  }
}
