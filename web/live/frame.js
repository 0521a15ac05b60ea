/** The frame around a picture: comparison, mirror, full screen. What is inside is the business of its children. */

import { Split } from "./split.js";

const REST_MS = 2_500; // the pointer is still for so long: tools fade in full screen

/** Owns the section with id="stage". `after`, which children have, is the painted picture: a video or a canvas. */
export class Frame {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    this.frame = section.querySelector("#frame");
    this.split = new Split(this.frame, section.querySelector("#split"));
    this.fadeTools();
  }

  /** @param {number} ratio width by height; none: as it was before anything came */
  shapeTo(ratio) {
    if (ratio) this.frame.style.setProperty("--ratio", String(ratio));
    else this.frame.style.removeProperty("--ratio");
  }

  get mirrored() {
    return this.frame.classList.contains("mirrored");
  }

  set mirrored(on) {
    this.frame.classList.toggle("mirrored", on);
  }

  /** @param {boolean} on whether before and after are compared, or the painted picture fills the frame */
  compare(on) {
    this.frame.classList.toggle("whole", !on);
  }

  flash() {
    this.frame.classList.remove("flash");
    requestAnimationFrame(() => this.frame.classList.add("flash"));
  }

  /** @returns {boolean} iPhones cannot */
  static get canFill() {
    return Boolean(document.fullscreenEnabled);
  }

  async toggleFull() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.section.requestFullscreen();
  }

  fadeTools() {
    let timer = 0;
    const wake = () => {
      this.section.classList.remove("resting");
      clearTimeout(timer);
      timer = setTimeout(() => this.section.classList.add("resting"), REST_MS);
    };
    this.section.addEventListener("pointermove", wake);
    this.section.addEventListener("pointerdown", wake);
    this.section.addEventListener("keydown", wake);
    document.addEventListener("fullscreenchange", wake);
  }
}
