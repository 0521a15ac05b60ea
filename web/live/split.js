/** The line between before and after: dragged by pointer, moved by keys, a slider to assistive technology. */

const STEP = 2; // percent
const LEAP = 10;

/** Keeps `--split` on the frame and aria-value* on the handle. */
export class Split {
  /** @param {HTMLElement} frame @param {HTMLElement} handle an element with role="slider" */
  constructor(frame, handle) {
    this.frame = frame;
    this.handle = handle;
    handle.addEventListener("pointerdown", (event) => this.grab(event));
    handle.addEventListener("keydown", (event) => this.key(event));
    handle.addEventListener("dblclick", () => this.set(50));
    this.set(50);
  }

  /** @param {number} percent how much of the picture, from the left, is shown as it was */
  set(percent) {
    this.value = Math.min(100, Math.max(0, percent));
    const before = Math.round(this.value);
    this.frame.style.setProperty("--split", `${this.value}%`);
    this.frame.classList.toggle("at-start", before < 15);
    this.frame.classList.toggle("at-end", before > 85);
    this.handle.setAttribute("aria-valuenow", String(before));
    this.handle.setAttribute("aria-valuetext", `${before} % before, ${100 - before} % after`);
  }

  /** @param {PointerEvent} event */
  grab(event) {
    if (event.button !== 0) return;
    const handle = this.handle;
    handle.setPointerCapture(event.pointerId);
    const move = (moved) => {
      const box = this.frame.getBoundingClientRect();
      this.set((100 * (moved.clientX - box.left)) / box.width);
    };
    const drop = () => {
      handle.removeEventListener("pointermove", move);
      handle.removeEventListener("pointerup", drop);
      handle.removeEventListener("pointercancel", drop);
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", drop);
    handle.addEventListener("pointercancel", drop);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const moves = {
      ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP,
      PageDown: -LEAP, PageUp: LEAP, Home: -100, End: 100,
    };
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.set(Math.round(this.value) + moves[event.key]);
  }
}
