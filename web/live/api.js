/** The server's HTTP interface: requests with the token if there is one, and refusals as `Problem`s. */

import { Problem } from "./messages.js";

/** Where the service lives; this file is at static/api.js below it, also behind a proxy with a path of its own. */
export const root = new URL("..", import.meta.url);

const TOKEN = "streamer.token";
const OFFER_SECONDS = 15;

/** A token may come as `#token=...`; it is kept for this tab and taken out of the address. */
function tokenFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    useToken(given);
    history.replaceState(null, "", location.pathname + location.search);
  }
}

/** @returns {string} the bearer token of this tab, or "" */
export function token() {
  return sessionStorage.getItem(TOKEN) ?? "";
}

/** @param {string} text the bearer token from now on */
export function useToken(text) {
  sessionStorage.setItem(TOKEN, text.trim());
}

tokenFromAddress();

/**
 * Fetch a path of the service.
 * @param {string | URL} path relative to the service's root, without a slash in front, or what the server called it
 * @param {RequestInit} [init]
 * @returns {Promise<Response>} a response that is ok
 * @throws {Problem} in plain words: the server is gone, full, refuses, ...
 */
export async function request(path, init = {}) {
  const headers = new Headers(init.headers);
  if (token()) headers.set("Authorization", `Bearer ${token()}`);
  const signal = init.signal ?? AbortSignal.timeout(OFFER_SECONDS * 1000);
  let response;
  try {
    response = await fetch(new URL(path, root), { ...init, headers, signal });
  } catch {
    throw new Problem(navigator.onLine ? "server-gone" : "network-lost");
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

/**
 * @param {Response} response one that is not ok
 * @returns {Promise<Problem>}
 */
async function refusal(response) {
  const codes = { 401: "token", 403: "token", 404: "unknown", 429: "too-many", 502: "server-gone", 503: "server-full", 504: "server-gone" };
  const text = await response.text().catch(() => "");
  let sentence = "";
  try {
    sentence = JSON.parse(text).error ?? "";
  } catch {
    // Not ours: a proxy's page, say. The status alone tells what to do.
  }
  const after = Number.parseFloat(response.headers.get("Retry-After") ?? "");
  const code = codes[response.status] ?? (response.status >= 500 ? "server-gone" : "refused");
  return new Problem(code, { sentence, status: response.status, retryAfter: Number.isFinite(after) ? after : undefined });
}

/**
 * Send JSON and read JSON.
 * @param {string} method
 * @param {string | URL} path
 * @param {object} body
 */
export async function sendJSON(method, path, body) {
  const response = await request(path, {
    method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
  });
  return response.json();
}

/** Tell the server that a session is over; also while the page is going away. @param {string | URL} url */
export function hangUp(url) {
  request(url, { method: "DELETE", keepalive: true }).catch(() => {}); // it notices by itself a little later
}

/**
 * ICE servers, as WHIP announces them: Link headers with rel="ice-server". None are configured by default.
 * @param {Response} response
 * @returns {RTCIceServer[]}
 */
export function iceServers(response) {
  const links = response.headers.get("Link") ?? "";
  return [...links.matchAll(/<((?:stun|turn)s?:[^>]+)>([^<]*)/g)]
    .filter(([, , rest]) => /rel="?ice-server"?/.test(rest))
    .map(([, urls, rest]) => {
      const value = (name) => rest.match(new RegExp(`${name}="([^"]*)"`))?.[1];
      return { urls, username: value("username"), credential: value("credential") };
    });
}

/**
 * The address of a picture behind the token: browsers send no token for <img>.
 * @param {string | URL} path
 * @returns {Promise<string>}
 */
export async function pictureAddress(path) {
  if (!token()) return new URL(path, root).href;
  return URL.createObjectURL(await (await request(path)).blob());
}
