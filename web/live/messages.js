/** Every failure in plain words, each with the next step. Nothing else on the page words an error. */

/** What went wrong: a code of the table below, and what is known of this case. */
export class Problem extends Error {
  /**
   * @param {string} code one of MESSAGES
   * @param {{sentence?: string, status?: number, retryAfter?: number, cause?: unknown}} [facts]
   */
  constructor(code, facts = {}) {
    super(facts.sentence || MESSAGES[code].text, { cause: facts.cause });
    this.name = "Problem";
    this.code = code;
    this.sentence = facts.sentence ?? "";
    this.status = facts.status;
    /** Seconds that the server asked us to wait, or undefined. */
    this.retryAfter = facts.retryAfter;
  }

  /** Whether trying again later may help without anybody doing anything. */
  get passes() {
    return Boolean(MESSAGES[this.code].passes);
  }
}

/**
 * title and text for people; `actions` are what the buttons do, in order; `passes`: the page tries again by itself;
 * `said`: the server's own sentence is shown too.
 */
export const MESSAGES = {
  "camera-refused": {
    title: "The camera is not allowed here",
    text: "Your browser refused it for this page. Press the camera or lock sign beside the address, choose Allow, then try again.",
    actions: ["again", "file"],
  },
  "camera-missing": {
    title: "No camera was found",
    text: "Plug one in or switch it on, and this page starts it by itself. A video file or your screen works without one.",
    actions: ["again", "file", "screen"],
  },
  "camera-busy": {
    title: "The camera is in use",
    text: "Another program or tab seems to hold it. Close that one, then try again.",
    actions: ["again", "file"],
  },
  "camera-unplugged": {
    title: "The camera went away",
    text: "It was unplugged or switched off. Plug it in again, and this page carries on.",
    actions: ["again", "file"],
  },
  insecure: {
    title: "Cameras need a secure address",
    text: "Browsers give cameras only to pages opened by https, or on the server's own machine by http://localhost. Open this page that way, or use a video file here.",
    actions: ["localhost", "file"],
  },
  "screen-refused": {
    title: "No screen was shared",
    text: "The choice was closed or refused. Try again and pick a screen, a window or a tab.",
    actions: ["again", "close"],
  },
  "file-unreadable": {
    title: "This file cannot be played here",
    text: "Your browser does not know its format. An MP4 with H.264 or a WebM works in most browsers.",
    actions: ["file", "close"],
  },
  "server-full": {
    title: "All places are taken",
    text: "The server paints as many pictures as it can without falling behind. You are in line: this page starts as soon as a place is free.",
    actions: ["again", "device", "stop"],
    passes: true,
  },
  "server-starting": {
    title: "The server is getting ready",
    text: "It measures how much it can paint at once. This page starts as soon as it is done.",
    actions: ["again", "stop"],
    passes: true,
  },
  "server-gone": {
    title: "The server does not answer",
    text: "It may be restarting. This page keeps trying and carries on where you were.",
    actions: ["again", "stop"],
    passes: true,
  },
  "network-lost": {
    title: "The network is gone",
    text: "Check the connection of this device. The picture comes back by itself when the network does.",
    actions: ["again", "stop"],
    passes: true,
  },
  "media-blocked": {
    title: "The picture cannot get through",
    text: "The server answers, but no video passes between here and there. A firewall may block UDP: try another network, or ask for a TURN server.",
    actions: ["again", "device", "stop"],
    passes: true,
  },
  "session-lost": {
    title: "The connection broke",
    text: "A new one is being made.",
    actions: ["again", "stop"],
    passes: true,
  },
  "not-live": {
    title: "Nobody is on air here yet",
    text: "This page starts by itself when the stream does.",
    actions: [],
    passes: true,
  },
  "too-many": {
    title: "That was a little fast",
    text: "The server asked for a short pause. This page goes on by itself.",
    actions: ["again", "stop"],
    passes: true,
  },
  token: {
    title: "This server asks for its token",
    text: "Whoever started it was shown one. Enter it here; it is kept for this tab only.",
    actions: ["token"],
  },
  unknown: {
    title: "The server does not know that",
    text: "The style may have been taken away. Choose another one and start again.",
    actions: ["again", "close"],
    said: true,
  },
  refused: {
    title: "The server refused",
    text: "Try again; if it happens again, this is what it said:",
    actions: ["again", "close"],
    said: true,
  },
  "runtime-missing": {
    title: "Nothing here can paint on your device",
    text: "The files that do it did not come with this page. Whoever hosts it fetches them with make web.",
    actions: ["server", "close"],
  },
  "device-unfit": {
    title: "This browser cannot paint",
    text: "It has no WebAssembly, or it is switched off. A current Firefox, Chrome, Edge or Safari has it.",
    actions: ["server", "close"],
  },
  "device-failed": {
    title: "Your device stopped painting",
    text: "It may be short of memory. Try again, or choose a smaller size. This is what it said:",
    actions: ["again", "server"],
    said: true,
  },
  "picture-unreadable": {
    title: "This file is no picture or video that your browser knows",
    text: "JPEG, PNG and WebP pictures work everywhere, and so do MP4 videos with H.264.",
    actions: ["open", "close"],
  },
  "no-webrtc": {
    title: "This browser cannot show live video",
    text: "It has no WebRTC, or it is switched off. A current Firefox, Chrome, Edge or Safari has it.",
    actions: ["close"],
  },
};

/** Words on the buttons. */
const ACTIONS = {
  again: "Try again",
  file: "Use a video file",
  screen: "Share the screen",
  localhost: "Open on localhost",
  open: "Open another file",
  device: "Paint on this device",
  server: "Paint on the server",
  token: "Continue",
  stop: "Stop",
  close: "Close",
};

/** The card over the picture that tells of a problem and offers what to do. */
export class Notice {
  /**
   * @param {HTMLElement} card an element with role="alert"
   * @param {(action: string, text: string) => void} act a button was pressed; text is what was entered, if anything
   */
  constructor(card, act) {
    this.card = card;
    this.act = act;
    this.code = "";
  }

  /** @param {Problem} problem @param {number} [seconds] until the page tries again by itself */
  show(problem, seconds) {
    const { title, text, actions, said } = MESSAGES[problem.code];
    if (this.code !== problem.code) {
      this.code = problem.code;
      this.wait = paragraph("");
      this.wait.setAttribute("aria-hidden", "true"); // a countdown is not read aloud second by second
      const lines = [paragraph(text), ...(said && problem.sentence ? [paragraph(problem.sentence)] : [])];
      this.card.replaceChildren(heading(title), ...lines, this.wait, ...(actions.length ? [this.buttons(actions)] : []));
      this.card.dataset.code = problem.code;
      this.card.hidden = false;
    }
    this.wait.textContent = seconds === undefined ? "" : `Next try in ${Math.ceil(seconds)} s.`;
    this.wait.hidden = seconds === undefined;
  }

  hide() {
    this.code = "";
    this.card.hidden = true;
    this.card.replaceChildren();
  }

  /** @param {string[]} actions @returns {HTMLElement} */
  buttons(actions) {
    const row = document.createElement(actions.includes("token") ? "form" : "div");
    row.className = "actions";
    const field = document.createElement("input");
    if (actions.includes("token")) {
      Object.assign(field, { type: "password", autocomplete: "off", required: true });
      field.setAttribute("aria-label", "Token");
      row.append(field);
      row.addEventListener("submit", (event) => {
        event.preventDefault();
        this.act("token", field.value);
      });
    }
    actions.forEach((action, index) => {
      const button = document.createElement("button");
      button.className = index === 0 ? "button primary" : "button";
      button.type = action === "token" ? "submit" : "button";
      button.textContent = ACTIONS[action];
      button.dataset.action = action;
      if (action !== "token") button.addEventListener("click", () => this.act(action, ""));
      row.append(button);
    });
    return row;
  }
}

/** @param {string} text @returns {HTMLElement} */
function heading(text) {
  const element = document.createElement("strong");
  element.textContent = text;
  return element;
}

/** @param {string} text @returns {HTMLElement} */
function paragraph(text) {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}
