/** What a session and a viewer have in common: one peer connection that is made, watched and taken down. */

import { hangUp, iceServers, request } from "./api.js";
import { measure } from "./ledger.js";
import { Problem } from "./messages.js";

const CONNECT_MS = 12_000;
const GATHER_MS = 1_500; // without STUN it takes a few milliseconds
const WATCH_MS = 1_000;
const STILL_MS = 3_000; // no new picture for so long: ask the server whether we still exist
const DEAD_MS = 12_000; // it says that we do, yet nothing comes: begin anew

/**
 * Events: "picture" (detail: MediaStream), "figures" (detail: object of ledger.js).
 * `ended` resolves with the Problem that ended it, or with null after `close()`.
 */
export class Peer extends EventTarget {
  /** @param {string} endpoint path that offers are posted to */
  constructor(endpoint) {
    super();
    if (!globalThis.RTCPeerConnection) throw new Problem("no-webrtc");
    this.endpoint = endpoint;
    this.peer = new RTCPeerConnection();
    /** @type {URL | null} where the server knows us */
    this.url = null;
    this.serverFigures = null;
    this.ended = new Promise((resolve) => { this.end = resolve; });
    this.over = false;
    this.ended.then(() => this.release());
    this.peer.addEventListener("track", (event) => this.receive(event));
  }

  /** Connect. @throws {Problem} */
  async open() {
    try {
      await this.negotiate();
      await this.connected();
    } catch (error) {
      this.end(null);
      throw error;
    }
    this.watchTimer = setInterval(() => this.watch(), WATCH_MS);
    this.peer.addEventListener("connectionstatechange", () => {
      if (this.peer.connectionState === "failed") this.end(broken());
    });
  }

  /** Offer, answer. */
  async negotiate() {
    const options = await request(this.endpoint, { method: "OPTIONS" }).catch((problem) => {
      if (problem.status === undefined) throw problem;
      return null; // a server that answers no OPTIONS announces no ICE servers; the offer will tell the rest
    });
    const servers = options ? iceServers(options) : [];
    if (servers.length) this.peer.setConfiguration({ iceServers: servers });
    await this.peer.setLocalDescription();
    await this.gathered();
    const { url, sdp } = await this.offer(this.peer.localDescription.sdp);
    this.url = url;
    if (this.peer.signalingState === "closed") { // stopped meanwhile
      hangUp(url);
      throw new Problem("session-lost");
    }
    await this.peer.setRemoteDescription({ type: "answer", sdp });
  }

  /** Wait for all candidates, but not for ever. */
  async gathered() {
    if (this.peer.iceGatheringState === "complete") return;
    await settled(GATHER_MS, (done) => this.peer.addEventListener("icegatheringstatechange", () => {
      if (this.peer.iceGatheringState === "complete") done(true);
    }));
  }

  async connected() {
    const states = { connected: true, failed: false, closed: false };
    const ok = states[this.peer.connectionState] ?? await settled(CONNECT_MS, (done) => {
      this.peer.addEventListener("connectionstatechange", () => {
        const state = states[this.peer.connectionState];
        if (state !== undefined) done(state);
      });
    });
    if (!ok) throw new Problem(navigator.onLine ? "media-blocked" : "network-lost");
  }

  /** @param {RTCTrackEvent} event */
  receive({ track, receiver }) {
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0; // as fresh as the network allows
    this.stream ??= new MediaStream();
    this.stream.addTrack(track);
    if (track.kind !== "video") return;
    const tell = () => this.dispatchEvent(new CustomEvent("picture", { detail: this.stream }));
    // Told when its first packets are here, so that what was seen before stays until then.
    if (track.muted) track.addEventListener("unmute", tell, { once: true });
    else tell();
  }

  /** Once a second: tell the figures, and notice when nothing comes any more. */
  async watch() {
    const report = await this.peer.getStats().catch(() => null);
    if (!report || this.peer.connectionState === "closed") return;
    const { figures, raw } = measure(report, this.previous, this.serverFigures);
    const now = performance.now();
    if (raw.framesDecoded !== this.previous?.framesDecoded || document.hidden) this.lastPicture = now;
    this.previous = raw;
    this.dispatchEvent(new CustomEvent("figures", { detail: figures }));
    const still = now - (this.lastPicture ?? now);
    if (still > DEAD_MS) this.end(broken());
    else if (still > STILL_MS || this.peer.connectionState === "disconnected") await this.ask();
  }

  /** Nothing comes: a child that can ask the server does so here. */
  async ask() {}

  close() {
    this.end(null);
  }

  release() {
    this.over = true;
    clearInterval(this.watchTimer);
    this.peer.close();
    if (this.url) hangUp(this.url);
  }
}

/** @returns {Problem} for a connection that was there and is not */
function broken() {
  return new Problem(navigator.onLine ? "session-lost" : "network-lost");
}

/**
 * @param {number} milliseconds
 * @param {(done: (value: boolean) => void) => void} start
 * @returns {Promise<boolean>} what `done` was told, or false when time is up
 */
function settled(milliseconds, start) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds, false);
    start(resolve);
  });
}
