/** How files, jobs and sessions stand, in words. Pure: no network, of the DOM the language alone. */

import { clock } from "../bulktranscribe/words.js";
import { isActiveInput } from "./polling.js";

/** Return what stands beside the status of a file: its place in the queue, position, speed, time left, worker, try. */
export function detailOf(input, words) {
  if (!isActiveInput(input)) return "";
  const parts = input.status === "queued" ? placeOf(input, words) : input.status === "running" ? progressOf(input, words) : [];
  if (input.worker && input.status !== "queued") parts.push(words.say("worker", { name: input.worker }));
  if (input.attempt > 1) parts.push(attemptOf(input, words));
  if (input.status === "running") parts.push(...silenceOf(input, words));
  return parts.join(" · ");
}

function placeOf({ filesAhead: ahead, etaSeconds: left }, words) {
  if (ahead === null || ahead === undefined) return [];
  const parts = [ahead ? words.count("ahead", ahead) : words.say("next")];
  if (left) parts.push(words.say("left", { time: words.duration(left) }));
  return parts;
}

function attemptOf({ attempt: n, attempts: of }, words) {
  return of > 1 && n <= of ? words.say("try-of", { n, of }) : words.say("try", { n });
}

/** What is known of a worker that does not answer: since when, and until when it is waited for. */
function silenceOf({ unreachableSince: since, givenUpAt: until, remote }, words) {
  if (since && until) return [words.say("silent", { since: timeOf(since), until: timeOf(until) })];
  return remote?.lastError ? [words.say("unreached")] : [];
}

function timeOf(iso) {
  return new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" }).format(new Date(iso));
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
export function totalsOf(totals, currency, words) {
  const said = (part) => (totals[part] ? words.say(part, { n: totals[part] }) : "");
  return {
    files: words.count("files", totals.files),
    seconds: totals.seconds ? words.say("audio", { length: words.duration(totals.seconds) }) : "",
    cost: totals.cost ? priceOf(totals.cost, currency) : "",
    eta: totals.etaSeconds ? words.say("left", { time: words.duration(totals.etaSeconds) }) : "",
    ...Object.fromEntries(["complete", "running", "waiting", "failed", "canceled"].map((part) => [part, said(part)])),
  };
}

/** Return what stands beside a job's status: how many files, time left, cost. */
export function outlookOf(job, currency, words) {
  const parts = [words.count("files", job.files)];
  if (job.etaSeconds) parts.push(words.say("left", { time: words.duration(job.etaSeconds) }));
  if (job.cost) parts.push(priceOf(job.cost, currency));
  return parts.join(" · ");
}

/** `≈ $1.90`, as people of the page's language write it. */
export function priceOf(cost, currency) {
  const style = { style: "currency", currency };
  try {
    return `≈ ${new Intl.NumberFormat(document.documentElement.lang, style).format(cost)}`;
  } catch {
    return `≈ ${cost.toFixed(2)} ${currency}`; // not a currency that the browser knows
  }
}
