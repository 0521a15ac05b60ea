/** The latency ledger: what the browser measures of a connection, joined with what the server told. Pure. */

/** Stages of a frame's way, in order. */
export const STAGES = ["network", "decode", "queue", "style", "encode"];

/**
 * Numbers of one getStats() report that are worth keeping for the next.
 * @param {Map<string, any>} report
 */
function read(report) {
  const raw = { time: 0, framesDecoded: 0 };
  for (const entry of report.values()) {
    if (entry.type === "inbound-rtp" && entry.kind === "video") {
      raw.time = entry.timestamp;
      raw.framesDecoded = entry.framesDecoded ?? 0;
      raw.decodeTime = entry.totalDecodeTime;
      raw.bufferDelay = entry.jitterBufferDelay;
      raw.buffered = entry.jitterBufferEmittedCount;
    } else if (entry.type === "outbound-rtp" && entry.kind === "video") {
      raw.encoded = entry.framesEncoded;
      raw.encodeTime = entry.totalEncodeTime;
    } else if (entry.type === "candidate-pair" && entry.nominated && entry.currentRoundTripTime !== undefined) {
      raw.roundTrip = entry.currentRoundTripTime;
    }
  }
  return raw;
}

/** Milliseconds a frame since the last report; 0 where nothing is known. */
function mean(raw, previous, total, count) {
  const frames = (raw[count] ?? 0) - (previous?.[count] ?? 0);
  const seconds = (raw[total] ?? 0) - (previous?.[total] ?? 0);
  return frames > 0 && seconds > 0 ? (1000 * seconds) / frames : 0;
}

/**
 * @param {Map<string, any>} report of getStats()
 * @param {object | undefined} previous `raw` of the report before
 * @param {object | null} server the newest figures of the server
 * @returns {{figures: object, raw: object}} figures: fpsIn, fpsOut, dropped, ms by stage, total, work, frame, lowered
 */
export function measure(report, previous, server) {
  const raw = read(report);
  const seconds = previous ? (raw.time - previous.time) / 1000 : 0;
  const shown = seconds > 0 ? (raw.framesDecoded - previous.framesDecoded) / seconds : undefined;
  const own = server?.ms ?? {};
  const ms = {
    // There and back, and the time frames rest in the browser so that they come evenly.
    network: 1000 * (raw.roundTrip ?? 0) + mean(raw, previous, "bufferDelay", "buffered"),
    decode: (own.decode ?? 0) + mean(raw, previous, "decodeTime", "framesDecoded"),
    queue: own.queue ?? 0,
    style: own.style ?? 0,
    encode: (own.encode ?? 0) + mean(raw, previous, "encodeTime", "encoded"),
  };
  const figures = {
    fpsIn: server?.fps_in,
    fpsOut: shown ?? server?.fps_out,
    dropped: server?.dropped,
    ms,
    total: STAGES.reduce((sum, stage) => sum + ms[stage], 0),
    work: server?.work,
    frame: server?.frame,
    lowered: Boolean(server?.lowered),
  };
  return { figures, raw };
}
