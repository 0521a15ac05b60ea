/** What is kept of the picture: a photo, or a recording of the painted video as it is seen. */

import { eachFrame } from "./source.js";

const RECORDING_BITS = 6_000_000; // a second
const SLICE_MS = 1_000;
/** The first that the browser can write. */
const FORMATS = [
  { type: "video/mp4;codecs=avc1.42E01F", ending: "mp4" },
  { type: "video/webm;codecs=vp9", ending: "webm" },
  { type: "video/webm;codecs=vp8", ending: "webm" },
  { type: "video/webm", ending: "webm" },
  { type: "video/mp4", ending: "mp4" },
];

/** @typedef {HTMLVideoElement | HTMLCanvasElement} Picture */

/** Draw a picture, mirrored if it is shown so. */
function draw(canvas, picture, mirrored) {
  const context = canvas.getContext("2d");
  context.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? canvas.width : 0, 0);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
}

/** @param {Picture} picture @param {number} step sides are multiples of it @returns {HTMLCanvasElement} of its size */
function canvasFor(picture, step) {
  const whole = (side) => Math.max(step, side - (side % step));
  return Object.assign(document.createElement("canvas"), {
    width: whole(picture.videoWidth ?? picture.width), height: whole(picture.videoHeight ?? picture.height),
  });
}

/** @param {string} style @param {string} ending @returns {string} such as `streamer-mosaic-2026-11-22-203015.png` */
function fileName(style, ending) {
  const now = new Date();
  const pad = (value) => String(value).padStart(2, "0");
  const day = [now.getFullYear(), pad(now.getMonth() + 1), pad(now.getDate())].join("-");
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(pad).join("");
  return `streamer-${style.replace(/[^a-z0-9_-]+/gi, "-")}-${day}-${time}.${ending}`;
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Save the painted picture as it is now.
 * @param {Picture} picture
 * @param {{mirrored: boolean, style: string}} how
 * @returns {Promise<string>} the file's name
 */
export async function savePhoto(picture, { mirrored, style }) {
  const canvas = canvasFor(picture, 1);
  draw(canvas, picture, mirrored);
  const blob = await new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
  const name = fileName(style, "png");
  save(blob, name);
  return name;
}

/** @returns {boolean} */
export function canRecord() {
  return Boolean(globalThis.MediaRecorder && HTMLCanvasElement.prototype.captureStream);
}

/** A recording of a picture that moves, through reconnects and changes of source. Event "time" (detail: seconds). */
export class Recording extends EventTarget {
  /** @param {Picture} picture @param {{mirrored: () => boolean, style: () => string}} how asked as it goes */
  constructor(picture, { mirrored, style }) {
    super();
    const format = FORMATS.find(({ type }) => MediaRecorder.isTypeSupported(type)) ?? { type: "", ending: "webm" };
    this.ending = format.ending;
    this.style = style;
    const canvas = canvasFor(picture, 2); // video codecs like even sides
    draw(canvas, picture, mirrored());
    this.stopDrawing = eachFrame(picture, () => draw(canvas, picture, mirrored()));
    this.recorder = new MediaRecorder(canvas.captureStream(), { mimeType: format.type, videoBitsPerSecond: RECORDING_BITS });
    this.parts = [];
    this.recorder.addEventListener("dataavailable", (event) => { if (event.data.size) this.parts.push(event.data); });
    this.recorder.start(SLICE_MS);
    const began = performance.now();
    const tell = () => this.dispatchEvent(new CustomEvent("time", { detail: (performance.now() - began) / 1000 }));
    this.timer = setInterval(tell, 500);
  }

  /** End it and save it. @returns {Promise<string>} the file's name */
  async stop() {
    clearInterval(this.timer);
    const stopped = new Promise((resolve) => { this.recorder.addEventListener("stop", resolve, { once: true }); });
    this.recorder.stop();
    await stopped;
    this.stopDrawing();
    for (const track of this.recorder.stream.getTracks()) track.stop();
    const name = fileName(this.style(), this.ending);
    save(new Blob(this.parts, { type: this.recorder.mimeType }), name);
    return name;
  }
}
