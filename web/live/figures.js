/** The strip of live figures under the picture. */

import { STAGES } from "./ledger.js";

const NAMES = { network: "Network", decode: "Decode", queue: "Queue", style: "Style", encode: "Encode" };

/** Shows what ledger.js measured. */
export class Figures {
  /** @param {HTMLElement} strip the section with id="figures" */
  constructor(strip) {
    this.strip = strip;
    this.bars = {};
    this.numbers = {};
    for (const stage of STAGES) this.addStage(stage);
    this.wasLowered = false;
  }

  /** @param {string} stage */
  addStage(stage) {
    const bar = document.createElement("i");
    bar.dataset.stage = stage;
    this.strip.querySelector("#ledger-bar").append(bar);
    this.bars[stage] = bar;
    const row = document.createElement("div");
    row.dataset.stage = stage;
    const name = document.createElement("dt");
    name.textContent = NAMES[stage];
    const number = document.createElement("dd");
    number.id = `ms-${stage}`;
    row.append(name, number);
    this.strip.querySelector("#ledger").append(row);
    this.numbers[stage] = number;
  }

  /** @param {object} figures of `measure` */
  show(figures) {
    this.write("fps-in", round(figures.fpsIn));
    this.write("fps-out", round(figures.fpsOut));
    this.write("dropped", figures.dropped ?? "–");
    this.write("work", size(figures.work));
    this.write("painter", figures.device ?? "the server");
    this.write("total", round(figures.total));
    for (const stage of STAGES) {
      this.numbers[stage].textContent = `${round(figures.ms[stage])} ms`;
      this.bars[stage].style.setProperty("--share", (100 * figures.ms[stage]) / (figures.total || 1));
    }
    this.tellLowered(figures);
  }

  /** Said once when it begins, and once when it is over. */
  tellLowered({ lowered, work, frame }) {
    const text = lowered ? `The server is busy: to keep pace it paints at ${size(work)} and scales up to ${size(frame)}.` : "";
    const element = this.strip.querySelector("#lowered");
    if (element.textContent !== text) element.textContent = text;
  }

  write(id, text) {
    this.strip.querySelector(`#${id}`).textContent = text;
  }
}

/** @param {number | undefined} value */
function round(value) {
  return value === undefined || !Number.isFinite(value) ? "–" : String(Math.round(value));
}

/** @param {[number, number] | undefined} pair width, height */
function size(pair) {
  return pair ? `${pair[0]} × ${pair[1]}` : "–";
}
