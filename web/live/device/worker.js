/** The thread beside the page on which the network runs. A classic worker, because LiteRT.js calls importScripts. */

"use strict";

const desk = import("./desk.js");

let turn = Promise.resolve(); // a question waits for the one before it: they share one network

self.addEventListener("message", ({ data }) => { turn = turn.then(() => reply(data)); });

/** @param {{id: number, kind: string}} question */
async function reply({ id, ...question }) {
  try {
    const { answer } = await desk;
    const said = await answer(question);
    const large = [said.before?.buffer, said.after?.buffer].filter(Boolean);
    self.postMessage({ id, said }, large);
  } catch (error) {
    self.postMessage({ id, failed: { code: error.code, sentence: String(error.message ?? error) } });
  }
}
