/** The live page: joins source, session, stage and panel. */

import { request, useToken } from "./api.js";
import { HomeSession } from "./at-home.js";
import { Controls } from "./controls.js";
import { byId, keep, kept, toast } from "./dom.js";
import { Figures } from "./figures.js";
import { Keeper } from "./keeper.js";
import { Look } from "./look.js";
import { Notice, Problem } from "./messages.js";
import { Session } from "./session.js";
import { cameras, canShareScreen, openCamera, openFile, openScreen } from "./source.js";
import { Stage } from "./stage.js";
import { Tools } from "./tools.js";

const STATUS = { idle: "Ready", starting: "Connecting …", live: "Live", waiting: "Reconnecting …", failed: "Stopped" };
const STREAMS_MS = 10_000;
const GREET_MS = 3_000;
const DEVICE_TROUBLE = ["runtime-missing", "device-unfit", "device-failed"];

/** Everything on the page. */
class App {
  constructor() {
    this.look = new Look();
    this.stage = new Stage(byId("stage"));
    this.tools = new Tools(this.stage, this.look);
    this.figures = new Figures(byId("figures"));
    this.notice = new Notice(byId("notice"), (action, text) => this.act(action, text));
    this.keeper = new Keeper(() => this.session());
    /** @type {import("./source.js").Source | null} */
    this.source = null;
    this.kind = "camera"; // what was started last, for "Try again"
    this.bind();
    this.controls = new Controls(this.look);
    this.look.addEventListener("change", () => this.changeLook());
    this.keeper.addEventListener("state", (event) => this.showState(event.detail));
    this.greet();
    this.listStreams();
    setInterval(() => { if (!document.hidden) this.listStreams(); }, STREAMS_MS);
  }

  bind() {
    for (const kind of ["camera", "file", "screen"]) {
      byId(`start-${kind}`).addEventListener("click", () => this.begin(kind));
      byId(`swap-${kind}`).addEventListener("click", () => this.begin(kind));
    }
    for (const button of ["start-screen", "swap-screen"]) byId(button).hidden = !canShareScreen();
    byId("file").addEventListener("change", (event) => this.fileChosen(event.target));
    byId("stop").addEventListener("click", () => this.stop());
    byId("device").addEventListener("change", () => this.reopenCamera());
    byId("resolution").value = kept("resolution") ?? "640x360";
    byId("resolution").addEventListener("change", (event) => {
      keep("resolution", event.target.value);
      this.reopenCamera();
    });
    byId("place").value = kept("place") ?? "server";
    byId("place").addEventListener("change", (event) => this.paintOn(event.target.value));
    byId("after").addEventListener("loadeddata", () => this.tools.enable(this.stage.painted));
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.devicesChanged());
    addEventListener("pagehide", () => this.keeper.peer?.close());
  }

  /** Before anything is started: the styles and the sample picture. */
  async greet() {
    this.tools.enable(this.stage.painted);
    this.listCameras();
    try {
      await this.controls.refresh();
    } catch (problem) {
      this.notice.show(problem);
      if (problem.passes) setTimeout(() => { if (!this.source) this.greet(); }, GREET_MS);
      return;
    }
    this.notice.hide();
    if (!this.source) this.stage.idle.show(this.look);
  }

  async changeLook() {
    const session = this.keeper.peer;
    if (!this.stage.live) this.stage.idle.show(this.look);
    if (!session) return;
    try {
      await session.change(this.look.wire);
    } catch (problem) {
      if (problem.passes) session.ask(); // the session will notice, and reconnect with this look
      else toast(problem.sentence || problem.message);
    }
  }

  /** @returns {Session | HomeSession} for the keeper */
  session() {
    const Kind = byId("place").value === "device" ? HomeSession : Session;
    const session = new Kind(this.source.track, this.look.wire);
    session.addEventListener("picture", (event) => this.stage.showPainted(event.detail));
    session.addEventListener("figures", (event) => {
      this.figures.show(event.detail);
      this.stage.late.follow(event.detail.total / 1000);
    });
    return session;
  }

  /** Where the picture is painted from now on. @param {"server" | "device"} place */
  async paintOn(place) {
    byId("place").value = place;
    keep("place", place);
    if (!this.source) return;
    this.notice.hide();
    this.stage.showBare();
    await this.keeper.start();
  }

  /** @param {"camera" | "file" | "screen"} kind */
  async begin(kind) {
    this.kind = kind;
    if (kind === "file") {
      byId("file").click();
      return;
    }
    const wish = { device: byId("device").value, size: byId("resolution").value };
    // Many phones open only one camera at a time.
    if (kind === "camera" && this.source?.kind === "camera") this.source.close();
    await this.use(() => (kind === "camera" ? openCamera(wish) : openScreen()));
  }

  /** @param {HTMLInputElement} input */
  async fileChosen(input) {
    const [file] = input.files;
    input.value = ""; // so that the same file can be chosen again
    if (file) await this.use(() => openFile(file, { size: byId("resolution").value }));
  }

  /** Open a source and show it: into the running session, or as a new one. @param {() => Promise<Source>} open */
  async use(open) {
    let source;
    try {
      source = await open();
    } catch (error) {
      this.notice.show(error instanceof Problem ? error : new Problem("camera-busy", { cause: error }));
      return;
    }
    this.notice.hide();
    this.source?.close();
    this.source = source;
    source.track.addEventListener("ended", () => this.sourceEnded(source));
    this.tools.mirrorFor(source.faces);
    this.stage.showSource(source.track);
    if (source.kind === "camera") this.listCameras(source.track.getSettings().deviceId);
    if (this.keeper.peer) await this.keeper.peer.replaceTrack(source.track);
    else await this.keeper.start();
  }

  /** The camera was unplugged, or sharing was ended in the browser's own bar. @param {Source} source */
  sourceEnded(source) {
    if (source !== this.source) return;
    if (source.kind === "camera") {
      this.notice.show(new Problem("camera-unplugged"));
      this.unplugged = true;
    } else {
      this.stop();
    }
  }

  async devicesChanged() {
    await this.listCameras();
    const waiting = this.unplugged || this.notice.code === "camera-missing";
    if (waiting && (await cameras()).length) {
      this.unplugged = false;
      await this.begin("camera");
    }
  }

  async reopenCamera() {
    if (this.source?.kind === "camera") await this.begin("camera");
  }

  /** Fill the picker. @param {string} [current] the camera in use */
  async listCameras(current = byId("device").value) {
    const found = await cameras();
    const options = found.map(({ id, label }) => new Option(label, id, false, id === current));
    byId("device").replaceChildren(...(options.length ? options : [new Option("Default camera", "")]));
  }

  async listStreams() {
    const line = byId("streams");
    try {
      const streams = await (await request("api/streams")).json();
      const names = streams.map((stream) => stream.name ?? stream);
      const links = names.map((name) => Object.assign(document.createElement("a"), {
        href: `watch/${encodeURIComponent(name)}`, textContent: name,
      }));
      line.replaceChildren(...(links.length ? ["On air: ", ...links.flatMap((link) => [link, " "])] : []));
    } catch {
      line.replaceChildren(); // an extra, not worth a message
    }
  }

  /** Stop everything and show the sample again. */
  async stop() {
    await this.tools.stopRecording();
    if (document.fullscreenElement) await document.exitFullscreen();
    this.source?.close();
    this.source = null;
    this.unplugged = false;
    this.keeper.stop();
    this.stage.clear();
    this.notice.hide();
    this.tools.enable(false);
    this.stage.idle.show(this.look);
    byId("start-camera").focus();
  }

  /** @param {{state: string, problem: Problem | null, seconds?: number}} detail of the keeper */
  showState({ state, problem, seconds }) {
    const word = byId("status");
    if (word.textContent !== STATUS[state]) word.textContent = STATUS[state];
    word.dataset.state = state;
    this.stage.section.dataset.state = state;
    const idle = state === "idle" && !this.source;
    byId("hello").hidden = !idle;
    byId("toolbar").hidden = idle;
    byId("figures").hidden = idle;
    byId("swap").hidden = idle;
    if (state === "waiting") this.stage.showBare();
    if (state === "failed" && DEVICE_TROUBLE.includes(problem.code)) {
      toast(`${problem.message} The server paints instead.`);
      queueMicrotask(() => this.paintOn("server")); // the keeper has not quite ended yet
    } else if (problem) this.notice.show(problem, seconds);
    else if (state === "live") this.notice.hide();
  }

  /** A button of the notice. @param {string} action @param {string} text */
  async act(action, text) {
    if (action === "close") this.notice.hide();
    else if (action === "stop") await this.stop();
    else if (action === "device" || action === "server") await this.paintOn(action);
    else if (action === "localhost") location.href = `http://localhost:${location.port || 80}/`;
    else if (action === "token") {
      useToken(text);
      this.notice.hide();
      await this.resume();
    } else if (action === "again") await this.resume();
    else await this.begin(action);
  }

  /** Try again what failed. */
  async resume() {
    const ended = this.source?.track.readyState === "ended";
    if (this.keeper.state === "waiting") this.keeper.again();
    else if (this.source && !ended) {
      this.notice.hide();
      await this.keeper.start();
    } else if (this.notice.code.startsWith("server") || !this.notice.code) {
      this.notice.hide();
      await this.greet();
    } else await this.begin(this.kind);
  }
}

new App();
