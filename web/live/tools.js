/** The toolbar under the picture: compare, mirror, photo, record, full screen. */

import { canRecord, Recording, savePhoto } from "./capture.js";
import { byId, keep, kept, toast } from "./dom.js";
import { Frame } from "./frame.js";

/** Binds the buttons to the stage. */
export class Tools {
  /** @param {Frame} stage @param {import("./look.js").Look} look */
  constructor(stage, look) {
    this.stage = stage;
    this.look = look;
    /** @type {Recording | null} */
    this.recording = null;
    byId("compare").addEventListener("click", () => stage.compare(press("compare")));
    byId("mirror").addEventListener("click", () => this.mirror(press("mirror"), true));
    byId("photo").addEventListener("click", () => this.photo());
    byId("record").addEventListener("click", () => this.record());
    byId("full").addEventListener("click", () => stage.toggleFull());
    document.addEventListener("fullscreenchange", () => press("full", Boolean(document.fullscreenElement)));
    byId("full").hidden = !Frame.canFill;
    byId("record").hidden = !canRecord();
    addEventListener("beforeunload", (event) => { if (this.recording) event.preventDefault(); });
  }

  /** @param {boolean} on @param {boolean} [chosen] by the person, who will want it so again */
  mirror(on, chosen = false) {
    this.stage.mirrored = on;
    press("mirror", on);
    if (chosen && this.faces) keep("mirror", String(on));
  }

  /** A source that shows its person is mirrored, as people know themselves. @param {boolean} faces */
  mirrorFor(faces) {
    this.faces = faces;
    this.mirror(faces && kept("mirror") !== "false");
  }

  /** Photo and recording need something painted. @param {boolean} painted */
  enable(painted) {
    byId("photo").disabled = !painted;
    byId("record").disabled = !painted && !this.recording;
  }

  async photo() {
    const name = await savePhoto(this.stage.after, { mirrored: this.stage.mirrored, style: this.look.style });
    this.stage.flash();
    toast(`Photo saved: ${name}`);
  }

  async record() {
    if (this.recording) await this.stopRecording();
    else this.startRecording();
  }

  startRecording() {
    const how = { mirrored: () => this.stage.mirrored, style: () => this.look.style };
    this.recording = new Recording(this.stage.after, how);
    this.recording.addEventListener("time", (event) => showTime(event.detail));
    showTime(0);
    byId("recording").hidden = false;
    press("record", true);
    name("record", "Stop and save the recording");
  }

  /** Save what was recorded, if anything is. */
  async stopRecording() {
    const { recording } = this;
    if (!recording) return;
    this.recording = null;
    byId("recording").hidden = true;
    press("record", false);
    name("record", "Record");
    toast(`Recording saved: ${await recording.stop()}`);
  }
}

/** Flip a toggle button, or set it. @param {string} id @param {boolean} [on] @returns {boolean} how it is now */
function press(id, on = byId(id).getAttribute("aria-pressed") !== "true") {
  byId(id).setAttribute("aria-pressed", String(on));
  return on;
}

/** @param {string} id @param {string} text */
function name(id, text) {
  byId(id).setAttribute("aria-label", text);
  byId(id).title = text;
}

/** @param {number} seconds */
function showTime(seconds) {
  const whole = Math.floor(seconds);
  byId("recording-time").textContent = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
