/** The same as a session with the server, on this device: what the live page's keeper makes when it is asked to. */

import { Feed } from "./feed.js";
import { Problem } from "./messages.js";
import { askFacts, Painter } from "./painter.js";

/** Events and methods of `Session` in session.js. */
export class HomeSession extends EventTarget {
  /** @param {MediaStreamTrack} track @param {{style: string, strength: number, preserve_color: boolean}} look */
  constructor(track, look) {
    super();
    Object.assign(this, { track, look });
    this.canvas = document.createElement("canvas");
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    this.ended = new Promise((resolve) => { this.end = resolve; });
    this.ended.then(() => this.release());
  }

  /** @throws {Problem} */
  async open() {
    if (!HTMLCanvasElement.prototype.captureStream) throw new Problem("device-unfit");
    this.painter = await Painter.open(await askFacts());
    await this.change(this.look);
    this.feed = new Feed(this.painter, () => this.wanted);
    this.feed.addEventListener("painted", (event) => this.show(event.detail));
    this.feed.addEventListener("figures", (event) => this.dispatchEvent(new CustomEvent("figures", { detail: event.detail })));
    for (const part of [this.feed, this.painter]) part.addEventListener("broken", (event) => this.end(event.detail));
    await this.replaceTrack(this.track);
  }

  /** Another source. @param {MediaStreamTrack} track */
  async replaceTrack(track) {
    this.video.srcObject = new MediaStream([track]);
    await this.video.play();
    await this.feed?.follow(this.video);
  }

  /** @param {import("./feed.js").Shown} shown */
  show({ after }) {
    const { canvas } = this;
    const { width, height } = after;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.getContext("2d").drawImage(after, 0, 0);
    if (this.stream) return;
    this.stream = canvas.captureStream();
    this.dispatchEvent(new CustomEvent("picture", { detail: this.stream }));
  }

  /** Another look from the next frame on. @param {object} look @throws {Problem} when its styles cannot be had */
  async change(look) {
    this.look = look;
    if (!this.painter) return; // `open` comes back to it
    const names = look.style.split(",").map((part) => part.split(":")[0]);
    if (!names.every((name) => this.painter.names.has(name))) await this.painter.take((await askFacts()).styles);
    const missing = names.find((name) => !this.painter.names.has(name));
    if (missing) throw new Problem("unknown", { sentence: `There is no style ${missing} for this device.` });
    this.wanted = { spec: look.style, strength: look.strength, preserveColour: look.preserve_color };
  }

  /** Nobody else knows of this session. */
  async ask() {}

  close() {
    this.end(null);
  }

  release() {
    this.feed?.close();
    this.painter?.close();
    this.video.srcObject = null;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
  }
}
