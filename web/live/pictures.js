/** A picture file as a canvas that the network can take: upright, opaque, and no larger than a browser has memory for. */

import { Problem } from "./messages.js";

// The network needs some 300 bytes a pixel; a third of a gigabyte is what a phone still gives to a page.
export const MOST_PIXELS = 1_250_000;

/** @typedef {{canvas: HTMLCanvasElement, width: number, height: number, name: string}} Still width, height: of the file */

/**
 * @param {Blob} file @param {string} name @param {number} [most] pixels
 * @returns {Promise<Still>}
 * @throws {Problem} no picture that this browser reads
 */
export async function openPicture(file, name, most = MOST_PIXELS) {
  const bitmap = await createImageBitmap(file).catch((error) => { throw new Problem("picture-unreadable", { cause: error }); });
  const { width, height } = bitmap;
  const scale = Math.min(1, Math.sqrt(most / (width * height)));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff"; // behind what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return { canvas, width, height, name };
}
