/** A working copy with this browser's storage, network and clock. */

import { csrfToken } from "../../bulktranscribe/http.js";
import { newId } from "./new-id.js";
import { openStepStorage } from "./step-storage.js";
import { tabLocksOf } from "./tab-lock.js";
import { WorkingCopy } from "./working-copy.js";

const PATIENCE = 30_000; // ms
const MOST_KEPT_ALIVE = 60_000; // bytes that browsers send on after the page is gone

/** Open the transcript that the server gave; `url` takes its edits. `show` and `tell` are WorkingCopy's. */
export async function openWorkingCopy(transcript, { person, url, show, tell }) {
  const place = `${transcript.id}/${person}`;
  const copy = await WorkingCopy.open(transcript, {
    storage: await openStepStorage(place).catch(() => new NoStorage()),
    locks: tabLocksOf(place),
    timer: { now: () => performance.now(), set: (work, wait) => setTimeout(work, wait), clear: (alarm) => clearTimeout(alarm) },
    post: (body) => post(url, body),
    ...{ newId, person, show, tell },
  });
  addEventListener("online", () => copy.outbox.wake());
  addEventListener("pagehide", () => copy.outbox.flush());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") copy.outbox.flush();
    else copy.outbox.wake();
  });
  return copy;
}

async function post(url, body) {
  const text = JSON.stringify(body);
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  const keepalive = new TextEncoder().encode(text).length < MOST_KEPT_ALIVE;
  const options = { method: "POST", credentials: "same-origin", redirect: "error", headers, body: text, keepalive };
  const response = await fetch(url, { ...options, signal: AbortSignal.timeout(PATIENCE) }).catch(() => null);
  const answer = await response?.json().catch(() => null);
  if (response?.ok && answer) return answer;
  throw { status: response && !response.ok ? response.status : 0, body: answer };
}

/** A private window may have no storage: then nothing counts as kept here. */
class NoStorage {
  async put() {
    throw new Error("this browser keeps nothing");
  }

  async remove() {}

  async all() {
    return [];
  }
}
