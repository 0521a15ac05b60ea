/** Where the picture comes from: a camera, a video file or the screen, each as one video track. */

import { Problem } from "./messages.js";

const FRAME_RATE = 30;

/**
 * @typedef {object} Source
 * @property {"camera" | "file" | "screen"} kind
 * @property {MediaStreamTrack} track
 * @property {string} label for people
 * @property {boolean} faces whether it shows who sits before it, so that it should be mirrored
 * @property {() => void} close
 */

/** @param {string} size such as "640x360" @returns {{width: number, height: number}} */
function parseSize(size) {
  const [width, height] = size.split("x").map(Number);
  return { width, height };
}

/**
 * @param {{device?: string, size: string}} wish
 * @returns {Promise<Source>}
 * @throws {Problem} refused, missing, busy, insecure
 */
export async function openCamera({ device, size }) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Problem(isSecureContext ? "no-webrtc" : "insecure");
  const { width, height } = parseSize(size);
  const video = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: FRAME_RATE } };
  if (device) video.deviceId = { exact: device };
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    if (device && error.name === "OverconstrainedError") return openCamera({ size }); // that camera is gone: any other
    throw cameraProblem(error);
  }
  const [track] = stream.getVideoTracks();
  track.contentHint = "motion";
  const faces = track.getSettings().facingMode !== "environment";
  return { kind: "camera", track, label: track.label || "Camera", faces, close: () => track.stop() };
}

/** @param {DOMException} error of getUserMedia @returns {Problem} */
function cameraProblem(error) {
  const codes = {
    NotAllowedError: "camera-refused", SecurityError: "camera-refused",
    NotFoundError: "camera-missing", OverconstrainedError: "camera-missing",
    NotReadableError: "camera-busy", AbortError: "camera-busy",
  };
  return new Problem(codes[error.name] ?? "camera-busy", { cause: error });
}

/**
 * @returns {Promise<Source>}
 * @throws {Problem} refused, or not to be had here
 */
export async function openScreen() {
  if (!canShareScreen()) throw new Problem(isSecureContext ? "screen-refused" : "insecure");
  let stream;
  try {
    stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: FRAME_RATE } }, audio: false });
  } catch (error) {
    throw new Problem("screen-refused", { cause: error });
  }
  const [track] = stream.getVideoTracks();
  return { kind: "screen", track, label: "Screen", faces: false, close: () => track.stop() };
}

/** @returns {boolean} phones cannot */
export function canShareScreen() {
  return Boolean(navigator.mediaDevices?.getDisplayMedia);
}

/**
 * A video file, played round and round without sound and drawn to a canvas of at most the wished size.
 * @param {File} file
 * @param {{size: string}} wish
 * @returns {Promise<Source>}
 * @throws {Problem} not a video that this browser plays
 */
export async function openFile(file, { size }) {
  const video = Object.assign(document.createElement("video"), { muted: true, loop: true, playsInline: true });
  video.src = URL.createObjectURL(file);
  const close = () => {
    video.pause();
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
  };
  try {
    await video.play();
    if (!video.videoWidth) throw new Error("no picture");
  } catch (error) {
    close();
    throw new Problem("file-unreadable", { cause: error });
  }
  const canvas = document.createElement("canvas");
  Object.assign(canvas, fit(video, parseSize(size)));
  const stopDrawing = eachFrame(video, () => canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height));
  const [track] = canvas.captureStream(FRAME_RATE).getVideoTracks();
  track.contentHint = "motion";
  const end = () => {
    stopDrawing();
    track.stop();
    close();
  };
  return { kind: "file", track, label: file.name, faces: false, close: end };
}

/** The video's size, scaled into the wished one, even in both directions. */
function fit(video, { width, height }) {
  const long = Math.max(width, height);
  const scale = Math.min(1, long / Math.max(video.videoWidth, video.videoHeight));
  const even = (value) => Math.max(2, Math.round((value * scale) / 2) * 2);
  return { width: even(video.videoWidth), height: even(video.videoHeight) };
}

/**
 * Call for each new frame of a video; of a canvas, and where the browser cannot tell, for each repaint.
 * @param {HTMLVideoElement | HTMLCanvasElement} video
 * @param {() => void} draw
 * @returns {() => void} ends it
 */
export function eachFrame(video, draw) {
  const exact = "requestVideoFrameCallback" in video;
  let handle = 0;
  const ask = () => (exact ? video.requestVideoFrameCallback(step) : requestAnimationFrame(step));
  const step = () => {
    draw();
    handle = ask();
  };
  handle = ask();
  return () => (exact ? video.cancelVideoFrameCallback(handle) : cancelAnimationFrame(handle));
}

/**
 * Cameras by name; browsers tell names only once one was allowed.
 * @returns {Promise<{id: string, label: string}[]>}
 */
export async function cameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  return devices
    .filter((device) => device.kind === "videoinput" && device.deviceId)
    .map((device, index) => ({ id: device.deviceId, label: device.label || `Camera ${index + 1}` }));
}
