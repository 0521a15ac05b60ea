/** The page that paints by itself: joins pictures, camera and files with the painter on this device. */

import { useToken } from "./api.js";
import { Coalesced } from "./coalesced.js";
import { Controls } from "./controls.js";
import { byId, keep, kept } from "./dom.js";
import { Dropping } from "./dropping.js";
import { asPainted, Feed } from "./feed.js";
import { LocalStage } from "./local-stage.js";
import { Look } from "./look.js";
import { Notice, Problem } from "./messages.js";
import { askFacts, Painter } from "./painter.js";
import { openPicture } from "./pictures.js";
import { cameras, openCamera, openFile } from "./source.js";
import { Tools } from "./tools.js";

const STATUS = { starting: "Getting ready …", idle: "Ready", live: "Live", failed: "Stopped" };
const SAMPLE = "static/sample.jpg";
const SAMPLE_PIXELS = 260_000; // so that a visitor sees something at once
const SOURCE_SIZE = "960x540"; // as much as is ever painted of a video

/** Everything on the page. */
class LocalApp {
  constructor() {
    this.look = new Look();
    this.stage = new LocalStage(byId("stage"));
    this.tools = new Tools(this.stage, this.look);
    this.notice = new Notice(byId("notice"), (action, text) => this.act(action, text));
    /** @type {import("./gallery.js").Style[]} */
    this.styles = [];
    this.controls = new Controls(this.look, async () => this.styles, 0);
    this.repaint = new Coalesced(() => this.paintStill(), 0);
    /** @type {Painter | null} */
    this.painter = null;
    /** @type {import("./pictures.js").Still | null} */
    this.still = null;
    /** @type {import("./source.js").Source | null} */
    this.source = null;
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    this.bind();
    this.ready = this.begin();
  }

  bind() {
    byId("start-camera").addEventListener("click", () => this.startCamera());
    byId("start-open").addEventListener("click", () => byId("file").click());
    byId("stop").addEventListener("click", () => this.stop());
    byId("device").addEventListener("change", () => { if (this.source?.kind === "camera") this.startCamera(); });
    byId("side").value = kept("side") ?? "0";
    byId("side").addEventListener("change", (event) => {
      keep("side", event.target.value);
      this.feed?.keepTo(this.side);
    });
    byId("file").addEventListener("change", ({ target }) => {
      const [file] = target.files;
      target.value = ""; // so that the same file can be chosen again
      if (file) this.open(file);
    });
    this.look.addEventListener("change", () => { if (!this.feed) this.repaintStill(); });
    new Dropping(document.body, (file) => this.open(file));
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.listCameras());
  }

  /** @returns {number} the long side that was chosen; 0 for whatever keeps pace */
  get side() {
    return Number(byId("side").value);
  }

  /** Get the painter, and show what it makes of the sample. */
  async begin() {
    this.tell("starting");
    this.listCameras();
    try {
      const facts = await askFacts();
      byId("to-server").hidden = !facts.server;
      this.styles = facts.styles;
      await this.controls.refresh();
      const wish = new URLSearchParams(location.search).get("device") ?? undefined; // to compare devices
      this.painter = await Painter.open(facts, { device: wish });
      this.painter.addEventListener("broken", (event) => this.trouble(event.detail));
      await this.showSample();
    } catch (problem) {
      this.trouble(problem);
    }
  }

  async showSample() {
    const response = await fetch(SAMPLE);
    this.still = await openPicture(await response.blob(), "sample", SAMPLE_PIXELS);
    this.tell("idle");
    await this.repaintStill();
  }

  async repaintStill() {
    if (!this.still || !this.painter) return;
    await this.repaint.send({}).catch((problem) => this.trouble(problem));
  }

  async paintStill() {
    const { still } = this;
    if (!still || this.feed) return;
    const painted = await this.painter.paint(await createImageBitmap(still.canvas), this.look, null);
    if (still !== this.still || this.feed) return;
    this.stage.show(asPainted(painted));
    this.tools.enable(true);
    this.write({ device: painted.device, ms: { style: painted.ms }, work: [painted.width, painted.height] });
    const lowered = painted.width < still.width && still.name !== "sample";
    byId("lowered").textContent = lowered
      ? `Your picture has ${still.width} × ${still.height} pixels; browsers have memory for painting it at ${painted.width} × ${painted.height}.` : "";
  }

  /** A picture or a video that was chosen or dropped. @param {File} file */
  async open(file) {
    if (file.type.startsWith("video/")) {
      await this.use(() => openFile(file, { size: SOURCE_SIZE }));
      return;
    }
    let still;
    try {
      still = await openPicture(file, file.name);
    } catch (problem) {
      this.trouble(problem);
      return;
    }
    this.release();
    this.still = still;
    this.tools.mirrorFor(false);
    this.notice.hide();
    this.tell("idle");
    await this.repaintStill();
  }

  async startCamera() {
    if (this.source?.kind === "camera") this.source.close(); // many phones open only one at a time
    await this.use(() => openCamera({ device: byId("device").value, size: SOURCE_SIZE }));
  }

  /** Open something that moves, and paint it. @param {() => Promise<import("./source.js").Source>} open */
  async use(open) {
    await this.ready;
    if (!this.painter) return;
    try {
      const source = await open();
      this.release();
      this.source = source;
      source.track.addEventListener("ended", () => { if (source === this.source) this.sourceEnded(); });
      this.video.srcObject = new MediaStream([source.track]);
      await this.video.play();
      await this.follow(source);
    } catch (error) {
      this.trouble(error instanceof Problem ? error : new Problem("device-failed", { sentence: String(error.message) }));
    }
  }

  /** @param {import("./source.js").Source} source */
  async follow(source) {
    this.notice.hide();
    this.tools.mirrorFor(source.faces);
    byId("lowered").textContent = "";
    this.feed = new Feed(this.painter, () => this.look, this.side);
    this.feed.addEventListener("painted", (event) => {
      this.stage.show(event.detail);
      this.tools.enable(true);
    });
    this.feed.addEventListener("figures", (event) => this.write(event.detail));
    this.feed.addEventListener("broken", (event) => this.trouble(event.detail));
    this.tell("live");
    await this.feed.follow(this.video);
    if (source.kind === "camera") this.listCameras(source.track.getSettings().deviceId);
  }

  sourceEnded() {
    const { kind } = this.source;
    this.stop();
    if (kind === "camera") this.notice.show(new Problem("camera-unplugged"));
  }

  /** Let go of camera and feed. */
  release() {
    this.feed?.close();
    this.source?.close();
    this.feed = this.source = this.video.srcObject = null;
  }

  async stop() {
    await this.tools.stopRecording();
    if (document.fullscreenElement) await document.exitFullscreen();
    this.release();
    this.notice.hide();
    this.tools.mirrorFor(false);
    await this.showSample().catch((problem) => this.trouble(problem));
    byId("start-camera").focus();
  }

  /** @param {object} figures as `Feed` has them */
  write({ device, fpsOut, ms, dropped, work }) {
    const whole = (value) => (Number.isFinite(value) ? String(Math.round(value)) : "–");
    byId("painter").textContent = device;
    byId("fps-out").textContent = Number.isFinite(fpsOut) ? fpsOut.toFixed(fpsOut < 10 ? 1 : 0) : "–";
    byId("ms-style").textContent = whole(ms.style);
    byId("dropped").textContent = whole(dropped);
    byId("work").textContent = work.join(" × ");
  }

  /** @param {keyof typeof STATUS} state */
  tell(state) {
    byId("status").textContent = STATUS[state];
    byId("status").dataset.state = state;
    this.stage.section.dataset.state = state === "live" ? "live" : "idle";
    byId("stop").hidden = state !== "live";
    byId("hello").hidden = state === "live";
  }

  /** @param {Error} error */
  trouble(error) {
    const problem = error instanceof Problem ? error : new Problem("device-failed", { sentence: String(error.message), cause: error });
    if (problem.code === "device-failed") {
      this.release();
      this.painter?.close();
      this.painter = null;
    }
    if (!this.painter) this.tell("failed");
    this.notice.show(problem);
    for (const button of byId("notice").querySelectorAll('[data-action="server"]')) button.hidden = byId("to-server").hidden;
  }

  /** A button of the notice. @param {string} action @param {string} text */
  async act(action, text) {
    this.notice.hide();
    if (action === "server") location.href = "./";
    else if (action === "localhost") location.href = `http://localhost:${location.port || 80}${location.pathname}`;
    else if (action === "open" || action === "file") byId("file").click();
    else if (action === "token") useToken(text);
    if (action === "token" || (action === "again" && !this.painter)) await (this.ready = this.begin());
    else if (action === "again") await this.startCamera();
  }

  /** Fill the picker. @param {string} [current] the camera in use */
  async listCameras(current = byId("device").value) {
    const options = (await cameras()).map(({ id, label }) => new Option(label, id, false, id === current));
    byId("device").replaceChildren(...(options.length ? options : [new Option("Default camera", "")]));
  }
}

new LocalApp();
