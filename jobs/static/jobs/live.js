/** What the session page says and when it asks again. Pure: no DOM, no network. */

import { clock } from "../bulktranscribe/words.js";

const ACTIVE = ["queued", "dispatching", "running"];
const ACTIVE_MS = 2_000;
const IDLE_MS = 10_000;

export function isActive(state) {
  return state.jobs.some((job) => ACTIVE.includes(job.status));
}

/** Return how many milliseconds to wait before asking again. */
export function nextPause({ active, hidden, failures }) {
  if (failures) return Math.min(IDLE_MS, ACTIVE_MS * 2 ** (failures - 1));
  return active && !hidden ? ACTIVE_MS : IDLE_MS;
}

/** Return what stands beside the status of a file: position, speed, time left, which try. */
export function detailOf(input, words) {
  if (!ACTIVE.includes(input.status)) return "";
  const parts = input.status === "running" ? progressOf(input, words) : [];
  if (input.attempt > 1) parts.push(words.say("try", { n: input.attempt }));
  if (input.status === "running" && input.remote?.lastError) parts.push(words.say("unreached"));
  return parts.join(" · ");
}

function progressOf(input, words) {
  const { audioSeconds: at, audioDuration: length, speed, etaSeconds: left, percent } = input;
  const parts = [];
  if (at && length) parts.push(words.say("position", { at: clock(at), length: clock(length) }));
  else if (percent >= 1 && input.stage !== "queued") parts.push(words.say("percent", { percent: Math.floor(percent) }));
  if (speed) parts.push(words.say("speed", { speed: speed < 10 ? speed.toFixed(1) : Math.round(speed) }));
  if (left) parts.push(words.say("left", { time: words.duration(left) }));
  return parts;
}

/** Return the line for screen readers: it changes when a file ends, not with every percent. */
export function summaryOf(totals, words) {
  if (!totals.files) return "";
  const files = words.count("files", totals.files);
  return words.say("summary", { complete: totals.complete, files, failed: totals.failed });
}

/** Return the texts of the totals line by part; an empty text is a part to hide. */
export function totalsOf(totals, words) {
  const said = (part) => (totals[part] ? words.say(part, { n: totals[part] }) : "");
  return {
    files: words.count("files", totals.files),
    seconds: totals.seconds ? words.say("audio", { length: words.duration(totals.seconds) }) : "",
    ...Object.fromEntries(["complete", "running", "waiting", "failed", "canceled"].map((part) => [part, said(part)])),
  };
}

/** Return how far all files are, 0 to 1; what failed or was canceled counts as ended. */
export function shareDone(jobs) {
  const inputs = jobs.flatMap((job) => job.inputs);
  const done = inputs.reduce((sum, input) => sum + (ACTIVE.includes(input.status) ? input.percent : 100), 0);
  return inputs.length ? done / (100 * inputs.length) : 0;
}
