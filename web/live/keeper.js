/** Keeps a connection: makes it, waits for its end, tries again with growing patience, and says what goes on. */

import { Problem } from "./messages.js";

const PATIENCE = [0.5, 1, 2, 4, 8]; // seconds before the first, second, ... try; then the last
const TICK_MS = 250;

/** @typedef {"idle" | "starting" | "live" | "waiting" | "failed"} State */

/** Event "state" (detail: {state, problem, seconds}); seconds: until the next try, told while it waits. */
export class Keeper extends EventTarget {
  /** @param {() => import("./peer.js").Peer} make a new peer, with its listeners, for each try */
  constructor(make) {
    super();
    this.make = make;
    /** @type {import("./peer.js").Peer | null} */
    this.peer = null;
    this.round = 0; // grows with each start and stop, so that an old run notices that it is over
    addEventListener("online", () => this.again());
  }

  /** Connect and stay connected until `stop`. */
  async start() {
    this.stop();
    const round = ++this.round;
    let tries = 0;
    this.tell("starting");
    while (round === this.round) {
      const problem = await this.once(round, () => { tries = 0; });
      if (round !== this.round) return;
      if (!problem?.passes) {
        this.tell(problem ? "failed" : "idle", problem);
        return;
      }
      const seconds = problem.retryAfter ?? PATIENCE[Math.min(tries++, PATIENCE.length - 1)];
      await this.wait(seconds, round, problem);
    }
  }

  /** One connection from start to end. @returns {Promise<Problem | null>} why it is over */
  async once(round, connected) {
    try {
      this.peer = this.make();
      const { peer } = this;
      peer.ended.then(() => { if (this.peer === peer) this.peer = null; });
      await peer.open();
      if (round !== this.round) return null;
      connected();
      this.tell("live");
      return await peer.ended;
    } catch (error) {
      return error instanceof Problem ? error : new Problem("session-lost", { cause: error });
    }
  }

  /** Until time is up, the network is back, or somebody presses "Try again". */
  async wait(seconds, round, problem) {
    const until = performance.now() + 1000 * seconds;
    this.hurry = false;
    while (round === this.round && !this.hurry && performance.now() < until) {
      this.tell("waiting", problem, (until - performance.now()) / 1000);
      await new Promise((resolve) => { setTimeout(resolve, TICK_MS); });
    }
    if (round === this.round) this.tell("waiting", problem, 0);
  }

  /** Do not wait any longer. */
  again() {
    this.hurry = true;
  }

  stop() {
    this.round++;
    this.peer?.close();
    this.peer = null;
    this.tell("idle");
  }

  tell(state, problem = null, seconds = undefined) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, problem, seconds } }));
  }
}
