/** The picture: the idle sample, then the live pair of videos; mirror, comparison, full screen. */

import { Idle } from "./idle.js";
import { Late } from "./late.js";
import { Split } from "./split.js";

const REST_MS = 2_500; // the pointer is still for so long: tools fade in full screen

/** Owns the section with id="stage". */
export class Stage {
  /** @param {HTMLElement} section */
  constructor(section) {
    const find = (id) => section.querySelector(`#${id}`);
    this.section = section;
    this.frame = find("frame");
    this.before = find("before");
    this.after = find("after");
    this.samples = [find("idle-before"), find("idle")];
    this.idle = new Idle(find("paint"), find("idle-after"), find("idle-second"));
    this.late = new Late(this.before, find("late"));
    this.split = new Split(this.frame, find("split"));
    this.before.addEventListener("resize", () => this.shape(this.before));
    this.after.addEventListener("loadeddata", () => {
      this.frame.classList.remove("bare");
      this.late.start();
    });
    this.after.addEventListener("resize", () => this.shape(this.after));
    this.fadeTools();
  }

  /** @returns {boolean} */
  get live() {
    return !this.before.hidden;
  }

  /** Show what goes up, at once; until something comes back it is all there is. @param {MediaStreamTrack} track */
  showSource(track) {
    if (!this.live) this.showBare();
    this.before.srcObject = new MediaStream([track]);
    this.toggle(true);
  }

  /** Nothing painted comes at the moment: the picture as it is fills the frame. */
  showBare() {
    this.frame.classList.add("bare");
  }

  /** @param {MediaStream} stream */
  showPainted(stream) {
    this.after.srcObject = stream;
    this.after.play().catch(() => {}); // muted: refused only where the page is not looked at
  }

  /** Back to the sample. */
  clear() {
    this.late.stop();
    this.before.srcObject = null;
    this.after.srcObject = null;
    this.frame.classList.remove("bare");
    this.frame.style.removeProperty("--ratio");
    this.toggle(false);
  }

  toggle(live) {
    this.before.hidden = !live;
    this.after.hidden = !live;
    for (const sample of this.samples) sample.hidden = live;
  }

  /** @param {HTMLVideoElement} video */
  shape(video) {
    if (video.videoWidth && this.live) this.frame.style.setProperty("--ratio", String(video.videoWidth / video.videoHeight));
  }

  /** @returns {boolean} whether something painted is to be seen and kept */
  get painted() {
    return this.after.videoWidth > 0;
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
