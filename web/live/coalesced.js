/** Changes that come faster than a server can answer: only the newest matters. */

/** At most one request under way; of what is wished meanwhile only the newest is sent, right after. */
export class Coalesced {
  /** @param {(value: any) => Promise<any>} send @param {number} [pause] milliseconds between two, so that no limit is hit */
  constructor(send, pause = 40) {
    this.deliver = send;
    this.pause = pause;
    this.waiting = undefined;
    this.running = null;
  }

  /** @param {any} value @returns {Promise<void>} when nothing is left to send; rejects as the last delivery did */
  send(value) {
    this.waiting = { value };
    this.running ??= this.drain().finally(() => { this.running = null; });
    return this.running;
  }

  async drain() {
    while (this.waiting) {
      const { value } = this.waiting;
      this.waiting = undefined;
      try {
        await this.deliver(value);
      } catch (error) {
        if (error.code === "too-many") this.waiting ??= { value };
        else if (!this.waiting) throw error;
        await sleep((error.retryAfter ?? 0.5) * 1000);
      }
      await sleep(this.pause);
    }
  }
}

/** @param {number} milliseconds */
export function sleep(milliseconds) {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}
