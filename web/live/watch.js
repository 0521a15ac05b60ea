/** The viewer's page: the stream fills it, and nothing else is there unless something must be said.
 *
 * For OBS's Browser source: `?quiet` never shows a word, `?sound` plays sound at once where the browser allows it.
 */

import { useToken } from "./api.js";
import { byId } from "./dom.js";
import { Keeper } from "./keeper.js";
import { Notice } from "./messages.js";
import { Viewer } from "./viewer.js";

const REST_MS = 2_500;
const name = decodeURIComponent(location.pathname.split("/").pop());
const wish = new URLSearchParams(location.search);
const video = byId("picture");
const sound = byId("sound");
const notice = new Notice(byId("notice"), act);
const keeper = new Keeper(watch);

/** @returns {Viewer} for the keeper */
function watch() {
  const viewer = new Viewer(name);
  viewer.addEventListener("picture", (event) => play(event.detail));
  return viewer;
}

/** @param {MediaStream} stream */
async function play(stream) {
  video.srcObject = stream;
  const show = () => { sound.hidden = wish.has("quiet") || !stream.getAudioTracks().some((track) => !track.muted); };
  for (const track of stream.getAudioTracks()) track.addEventListener("unmute", show);
  show();
  try {
    await video.play();
  } catch {
    video.muted = true; // browsers refuse sound until somebody touches the page
    await video.play().catch(() => {});
  }
  showSound();
}

function showSound() {
  const text = video.muted ? "Sound on" : "Sound off";
  sound.setAttribute("aria-label", text);
  sound.title = text;
  sound.setAttribute("aria-pressed", String(!video.muted));
}

/** @param {string} action @param {string} text */
function act(action, text) {
  if (action === "token") useToken(text);
  if (action === "stop" || action === "close") keeper.stop();
  else if (keeper.state === "waiting") keeper.again();
  else keeper.start();
}

/** Tools show while the pointer moves, and not in a picture that is composed elsewhere. */
function fadeTools() {
  let timer = 0;
  const wake = () => {
    document.body.classList.remove("resting");
    clearTimeout(timer);
    timer = setTimeout(() => document.body.classList.add("resting"), REST_MS);
  };
  for (const type of ["pointermove", "pointerdown", "keydown"]) addEventListener(type, wake);
  document.body.classList.add("resting");
}

document.title = `${name} · Streamer`;
video.setAttribute("aria-label", `The stream ${name}`);
video.muted = !wish.has("sound");
sound.addEventListener("click", () => {
  video.muted = !video.muted;
  showSound();
});
byId("full").hidden = wish.has("quiet") || !document.fullscreenEnabled;
byId("full").addEventListener("click", async () => {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await document.documentElement.requestFullscreen();
});
keeper.addEventListener("state", (event) => {
  const { state, problem, seconds } = event.detail;
  document.body.dataset.state = state;
  if (problem && !wish.has("quiet")) notice.show(problem, problem.code === "not-live" ? undefined : seconds);
  else if (state === "live") notice.hide();
  if (problem?.code === "not-live") video.srcObject = null;
});
addEventListener("pagehide", () => keeper.peer?.close());
fadeTools();
keeper.start();
