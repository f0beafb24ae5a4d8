/** Arithmetic of uploads: whose turn it is, how much at once, how fast, how long still. Pure: no DOM, no network. */

export const PARALLEL = 4;
const SMOOTHING_SECONDS = 4;
const LARGEST = 16 * 2 ** 20; // bytes of a piece
const SMALLEST = 2 ** 20;
const PIECES_A_BREAK = 20; // as many pieces go well between two breaks: then a break costs half of a twentieth
const LONGEST_PAUSE = 30; // seconds
const BUSY = ["queued", "sending", "waiting", "paused"];
const BROKEN = ["broken", "lost"]; // a reload took the file away; the person has to choose it again
const OF_THE_SERVER = [408, 409, 423, 425, 429, 460];

/** Return which of `transfers` to send now so that at most PARALLEL are under way; oldest first. One that waits for
 * the connection keeps its place, so that the others do not all run into the same wall. */
export function nextToSend(transfers) {
  const holds = ({ status, isElsewhere }) => status === "sending" || (status === "waiting" && !isElsewhere);
  const free = PARALLEL - transfers.filter(holds).length;
  return transfers.filter((transfer) => transfer.status === "queued").slice(0, Math.max(0, free));
}

/** Whether this one is still to be sent, or being sent, without anybody doing anything but "Continue". */
export function isBusy({ status }) {
  return BUSY.includes(status);
}

/** Whether the table of verdicts has a line for it: nothing more will happen. */
export function hasEnded({ status }) {
  return ["done", "duplicate", "refused"].includes(status);
}

/** Whether somebody has to choose the file again. */
export function isBroken({ status }) {
  return BROKEN.includes(status);
}

/** Whether it goes on here once somebody chooses the file: broken off, or sent by another tab that may yet stop. */
export function wantsFile({ status }) {
  return isBroken({ status }) || status === "elsewhere";
}

/** Return bytes sent and to send, and how many files have ended, of all that were not taken out. */
export function overall(transfers) {
  const counted = transfers.filter((transfer) => transfer.status !== "refused");
  const sum = (value) => counted.reduce((total, transfer) => total + value(transfer), 0);
  const ended = transfers.filter(hasEnded).length;
  return { files: transfers.length, ended, bytes: sum((t) => t.size), sent: sum((t) => (hasEnded(t) ? t.size : t.sent)) };
}

/** Return how many bytes to risk at once, by what has gone well between breaks so far. */
export function pieceSize({ sent, breaks }) {
  if (!breaks) return LARGEST;
  return Math.min(LARGEST, Math.max(SMALLEST, Math.floor(sent / breaks / PIECES_A_BREAK)));
}

/** Return seconds to wait after so many failures in a row. */
export function pauseAfter(failures) {
  return Math.min(LONGEST_PAUSE, 2 ** (failures - 1));
}

/** Return what to do after an answer with this status, 0 for none: "again", "anew" (the server has forgotten it),
 * "ask" (somebody has to sign in), or "refused". */
export function whatNext(status) {
  if (status === 401 || status === 403) return "ask";
  if (status === 404 || status === 410) return "anew";
  if (status === 507) return "refused";
  return status < 400 || status >= 500 || OF_THE_SERVER.includes(status) ? "again" : "refused";
}

/** Return the one of `transfers` that this file continues: it wants a file of this name, size and folder. A file that
 * is chosen alone tells no folder: then the name has to be the only one. */
export function continuedBy({ name, folder, size, modified }, transfers) {
  const alike = transfers.filter((one) => one.name === name && one.size === size && !(one.modified && one.modified !== modified));
  const exact = alike.find((one) => one.folder === folder);
  return exact ?? (folder === "" && alike.length === 1 ? alike[0] : undefined);
}

/** Bytes a second, smoothed: what came long ago weighs less. Times in seconds. */
export class Meter {
  constructor(now, sent = 0) {
    this.at = now;
    this.sent = sent;
    this.speed = 0;
  }

  note(sent, now) {
    const passed = now - this.at;
    if (passed < 0.2) return;
    const current = Math.max(0, sent - this.sent) / passed;
    const weight = this.speed ? 1 - Math.exp(-passed / SMOOTHING_SECONDS) : 1;
    this.speed += weight * (current - this.speed);
    this.at = now;
    this.sent = sent;
  }

  /** Return seconds until `total` bytes are sent, or null while that cannot be said. */
  left(total) {
    return this.speed > 0 ? Math.max(0, total - this.sent) / this.speed : null;
  }
}

/** Say how a transfer stands: percent, speed, time left, or what it waits for. */
export function detailOf(transfer, words) {
  const { status, sent, size, meter } = transfer;
  const percent = size ? Math.floor((100 * sent) / size) : 0;
  if (status === "queued" && !sent) return `${words.size(size)} · ${words.say("transfer-queued")}`;
  if (status === "queued") return `${words.say("percent", { percent })} · ${words.say("transfer-queued")}`;
  if (status === "sending" && sent >= size) return words.say("transfer-storing");
  if (status === "sending" && !transfer.isTrying) return [words.say("percent", { percent }), ...paceOf(meter, size, words)].join(" · ");
  if (status === "waiting" || status === "sending") return words.say(`transfer-${transfer.isElsewhere ? "elsewhere" : "waiting"}`, { percent });
  return ["paused", "elsewhere", "broken", "lost"].includes(status) ? words.say(`transfer-${status}`, { percent }) : "";
}

/** Say how fast and how long still, as far as that is known. */
export function paceOf(meter, total, words) {
  if (!(meter.speed > 0)) return [];
  const speed = words.say("transfer-speed", { size: words.size(Math.round(meter.speed)) });
  return [speed, words.say("left", { time: words.duration(meter.left(total)) })];
}
