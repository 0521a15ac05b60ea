/** Watching a stream that somebody publishes: WHEP, the picture and its sound come down. */

import { request, root } from "./api.js";
import { Problem } from "./messages.js";
import { Peer } from "./peer.js";

/** One viewing, from the offer to the end. */
export class Viewer extends Peer {
  /** @param {string} name of the stream */
  constructor(name) {
    super(`whep/${encodeURIComponent(name)}`);
    this.peer.addTransceiver("video", { direction: "recvonly" });
    this.peer.addTransceiver("audio", { direction: "recvonly" });
  }

  /** @param {string} sdp @returns {Promise<{url: URL, sdp: string}>} */
  async offer(sdp) {
    let response;
    try {
      response = await request(this.endpoint, { method: "POST", body: sdp, headers: { "Content-Type": "application/sdp" } });
    } catch (problem) {
      throw problem.status === 404 ? new Problem("not-live", { retryAfter: 2 }) : problem;
    }
    return { url: new URL(response.headers.get("Location"), new URL(this.endpoint, root)), sdp: await response.text() };
  }

  /** The picture stands still: a new viewing shows whether the stream is still on air. */
  async ask() {
    this.end(new Problem(navigator.onLine ? "session-lost" : "network-lost"));
  }
}
