/** Arithmetic of uploads: whose turn it is, how fast, how long still. Pure: no DOM, no network. */

export const PARALLEL = 3;
const SMOOTHING_SECONDS = 4;

/** Return which of `transfers` to send now so that at most PARALLEL are under way; oldest first. */
export function nextToSend(transfers) {
  const free = PARALLEL - transfers.filter((transfer) => transfer.status === "sending").length;
  return transfers.filter((transfer) => transfer.status === "queued").slice(0, Math.max(0, free));
}

/** Return bytes sent and to send, and how many files have ended, of all that were not taken out. */
export function overall(transfers) {
  const sum = (value) => transfers.reduce((total, transfer) => total + value(transfer), 0);
  const ended = transfers.filter((transfer) => transfer.status === "done").length;
  return { files: transfers.length, ended, bytes: sum((t) => t.size), sent: sum((t) => (t.status === "done" ? t.size : t.sent)) };
}

/** Bytes a second, smoothed: what came long ago weighs less. Times in seconds. */
export class Meter {
  constructor(now) {
    this.at = now;
    this.sent = 0;
    this.speed = 0;
  }

  note(sent, now) {
    const passed = now - this.at;
    if (passed < 0.2) return;
    const current = (sent - this.sent) / passed;
    const weight = this.speed ? 1 - Math.exp(-passed / SMOOTHING_SECONDS) : 1;
    this.speed += weight * (current - this.speed);
    this.at = now;
    this.sent = sent;
  }

  /** Return seconds until `total` bytes are sent, or null while that cannot be said. */
  left(total) {
    return this.speed > 0 ? (total - this.sent) / this.speed : null;
  }
}

/** Say how a transfer stands: percent, speed, time left. */
export function detailOf({ status, sent, size, meter }, words) {
  if (status === "queued") return `${words.size(size)} · ${words.say("transfer-queued")}`;
  if (status !== "sending") return "";
  if (sent >= size) return words.say("transfer-storing");
  const parts = [words.say("percent", { percent: Math.floor((100 * sent) / size) })];
  if (meter.speed > 0) parts.push(words.say("transfer-speed", { size: words.size(Math.round(meter.speed)) }));
  const left = meter.left(size);
  if (left !== null) parts.push(words.say("left", { time: words.duration(left) }));
  return parts.join(" · ");
}
