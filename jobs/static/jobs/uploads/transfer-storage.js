/** The drop that is shown, kept over a reload of the page; what is still unfinished, the server knows. */

import { getJson } from "../../bulktranscribe/http.js";
import { hasEnded, wantsFile } from "./transfers.js";
import { applyOutcome, newTransfer } from "./upload-queue.js";

const ASKED_EVERY_MS = 5_000;
const KEPT = ["key", "name", "folder", "size", "modified", "status", "url", "sent", "error", "upload", "sound", "duplicateOf"];

/** Remember the transfers of this tab, by the address that they go to. */
export function keep(endpoint, transfers) {
  const kept = transfers.map((transfer) => Object.fromEntries(KEPT.map((name) => [name, transfer[name]])));
  try {
    if (kept.length) sessionStorage.setItem(endpoint, JSON.stringify(kept));
    else sessionStorage.removeItem(endpoint);
  } catch {
    // no room, or not allowed: then a reload shows only what is unfinished
  }
}

/** Return the transfers to show after a reload: those of this tab, and what is unfinished in the session. */
export async function restored(endpoint) {
  const { incoming: unfinished } = (await getJson(endpoint)).body;
  const kept = remembered(endpoint).map(newTransfer);
  await Promise.all(kept.filter((transfer) => !hasEnded(transfer)).map((transfer) => ask(transfer, unfinished)));
  const known = new Set(kept.map(({ url }) => idOf(url)));
  const others = unfinished.filter(({ id }) => !known.has(id)).map((incoming) => foreignTransfer(incoming, endpoint));
  return [...kept, ...others];
}

/** Follow what others send here: how far it has come, and whether it is broken off; what has arrived leaves the list. */
export async function followOthers(endpoint, queue) {
  const fromElsewhere = () => queue.transfers.filter((transfer) => transfer.isForeign && wantsFile(transfer));
  while (fromElsewhere().length) {
    await new Promise((resolve) => setTimeout(resolve, ASKED_EVERY_MS));
    const unfinished = await getJson(endpoint).then(({ body }) => body.incoming, () => null); // next time, then
    for (const transfer of unfinished ? fromElsewhere() : []) {
      const found = unfinished.find(({ id }) => id === idOf(transfer.url));
      if (found) queue.change(transfer, statusOf(found));
      else queue.forget(transfer);
    }
  }
}

function remembered(endpoint) {
  try {
    return JSON.parse(sessionStorage.getItem(endpoint)) ?? [];
  } catch {
    return [];
  }
}

/** Find out what became of one that was under way when the page went. */
async function ask(transfer, unfinished) {
  const found = unfinished.find(({ id }) => id === idOf(transfer.url));
  transfer.status = found ? "broken" : "lost";
  if (found) transfer.sent = found.offsetBytes;
  if (found || !transfer.url) return;
  try {
    applyOutcome(transfer, (await getJson(transfer.url)).body.incoming);
  } catch {
    Object.assign(transfer, { url: "", sent: 0 }); // taken back, or expired
  }
}

/** One that another tab or another day has begun. */
function foreignTransfer(incoming, endpoint) {
  const { id, name, folder, sizeBytes: size } = incoming;
  const url = new URL(endpoint.replace(/sessions\/.*/, `incoming/${id}`), location.href).href;
  return newTransfer({ name, folder, size, url, isForeign: true, ...statusOf(incoming) });
}

function statusOf({ offsetBytes, isArriving }) {
  return { sent: offsetBytes, status: isArriving ? "elsewhere" : "broken" };
}

function idOf(url) {
  return url.split("/").at(-1);
}
