/** The thread beside the page on which the network runs. A classic worker, because LiteRT.js calls importScripts. */

"use strict";

const desk = import("./desk.js");

self.addEventListener("message", async ({ data: { id, ...question } }) => {
  try {
    const { answer } = await desk;
    const said = await answer(question);
    const large = [said.before?.buffer, said.after?.buffer].filter(Boolean);
    self.postMessage({ id, said }, [...new Set(large)]);
  } catch (error) {
    self.postMessage({ id, failed: { code: error.code, sentence: String(error.message ?? error) } });
  }
});
