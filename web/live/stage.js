/** The picture: the idle sample, then the live pair of videos. */

import { Frame } from "./frame.js";
import { Idle } from "./idle.js";
import { Late } from "./late.js";

/** Owns the section with id="stage". */
export class Stage extends Frame {
  /** @param {HTMLElement} section */
  constructor(section) {
    super(section);
    const find = (id) => section.querySelector(`#${id}`);
    this.before = find("before");
    this.after = find("after");
    this.samples = [find("idle-before"), find("idle")];
    this.idle = new Idle(find("paint"), find("idle-after"), find("idle-second"));
    this.late = new Late(this.before, find("late"));
    this.before.addEventListener("resize", () => this.shape(this.before));
    this.after.addEventListener("loadeddata", () => {
      this.frame.classList.remove("bare");
      this.late.start();
    });
    this.after.addEventListener("resize", () => this.shape(this.after));
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
    this.shapeTo(0);
    this.toggle(false);
  }

  toggle(live) {
    this.before.hidden = !live;
    this.after.hidden = !live;
    for (const sample of this.samples) sample.hidden = live;
  }

  /** @param {HTMLVideoElement} video */
  shape(video) {
    if (video.videoWidth && this.live) this.shapeTo(video.videoWidth / video.videoHeight);
  }

  /** @returns {boolean} whether something painted is to be seen and kept */
  get painted() {
    return this.after.videoWidth > 0;
  }
}
