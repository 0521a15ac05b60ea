/** The browser's loop: a video track goes up to the server, the painted picture and its figures come back. */

import { request, root, sendJSON } from "./api.js";
import { Coalesced } from "./coalesced.js";
import { Problem } from "./messages.js";
import { Peer } from "./peer.js";

const MAX_BITRATE = 4_000_000; // bits a second upwards

/** One session, from the offer to the end. */
export class Session extends Peer {
  /** @param {MediaStreamTrack} track @param {object} look as the server takes it */
  constructor(track, look) {
    super("api/sessions");
    this.look = look;
    this.changes = new Coalesced((newest) => sendJSON("PATCH", this.url, newest));
    this.sender = this.peer.addTransceiver(track, { direction: "sendrecv" }).sender;
    this.listen(this.peer.createDataChannel("figures"));
    this.peer.addEventListener("datachannel", (event) => this.listen(event.channel));
  }

  /** @param {string} sdp @returns {Promise<{url: URL, sdp: string}>} */
  async offer(sdp) {
    const asked = this.look;
    const answer = await sendJSON("POST", this.endpoint, { sdp, look: asked }).catch(fullOrStarting);
    const url = new URL(answer.url, root);
    if (this.look !== asked) queueMicrotask(() => this.change(this.look).catch(() => {})); // chosen meanwhile
    return { url, sdp: answer.sdp };
  }

  async negotiate() {
    await super.negotiate();
    await this.tune();
  }

  /** Room for detail upwards. A browser that does not know these settings keeps its own. */
  async tune() {
    const parameters = this.sender.getParameters();
    if (!parameters.encodings?.length) return;
    parameters.encodings[0].maxBitrate = MAX_BITRATE;
    parameters.degradationPreference = "maintain-framerate";
    await this.sender.setParameters(parameters).catch(() => {});
  }

  /** @param {RTCDataChannel} channel */
  listen(channel) {
    if (channel.label !== "figures") return;
    channel.addEventListener("message", (event) => { this.serverFigures = JSON.parse(event.data); });
    channel.addEventListener("close", () => this.ask());
  }

  /** Does the server still know this session? */
  async ask() {
    if (!this.url || this.asking || this.over) return;
    this.asking = true;
    try {
      await request(this.url);
    } catch (problem) {
      if (problem.code === "unknown") this.end(new Problem("session-lost"));
      else if (problem.code !== "too-many") this.end(problem);
    } finally {
      this.asking = false;
    }
  }

  /**
   * Another look, at once: changes while a request is under way are folded into the next.
   * @param {object} look
   * @returns {Promise<void>}
   * @throws {Problem} when the server refuses it and keeps the one before
   */
  async change(look) {
    this.look = look;
    if (this.url) await this.changes.send(look);
  }

  /** Another source, without a new connection. @param {MediaStreamTrack} track */
  async replaceTrack(track) {
    await this.sender.replaceTrack(track);
  }
}

/** A server that is not ready refuses as a full one does; which of both it is, it tells elsewhere. @param {Problem} problem */
async function fullOrStarting(problem) {
  if (problem.code !== "server-full") throw problem;
  const ready = await request("readyz").then(() => true, () => false);
  throw ready ? problem : new Problem("server-starting", { retryAfter: 1 });
}
