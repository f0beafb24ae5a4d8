/** The arithmetic of uploads: turns, pieces, pauses, what goes on after a reload. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Words } from "../../../../bulktranscribe/static/bulktranscribe/words.js";
import {
  Meter,
  PARALLEL,
  continuedBy,
  detailOf,
  nextToSend,
  overall,
  pauseAfter,
  pieceSize,
  whatNext,
} from "../../../../jobs/static/jobs/uploads/transfers.js";

const MIB = 2 ** 20;
const words = new Words({
  percent: "{percent}%",
  "transfer-queued": "queued",
  "transfer-storing": "storing",
  "transfer-speed": "{size}/s",
  "transfer-waiting": "{percent}%, waiting",
  "transfer-elsewhere": "{percent}%, elsewhere",
  "transfer-broken": "Interrupted at {percent}%",
  "transfer-paused": "Paused at {percent}%",
  "transfer-lost": "not uploaded",
  left: "{time} left",
  seconds: "{s} s",
});
const of = (...statuses) => statuses.map((status, at) => ({ at, status, size: 100, sent: 0, meter: new Meter(0) }));

test("so many are sent at once, the oldest first", () => {
  const transfers = of("done", ...Array(6).fill("queued"));
  assert.deepEqual(nextToSend(transfers).map(({ at }) => at), [1, 2, 3, 4]);
  assert.equal(PARALLEL, 4);
  assert.equal(nextToSend(of("sending", "sending", "sending", "queued", "queued")).length, 1);
});

test("what waits for the connection keeps its place, what waits for another tab does not", () => {
  const waiting = of("waiting", "waiting", "waiting", "waiting", "queued");
  assert.equal(nextToSend(waiting).length, 0);
  waiting[0].isElsewhere = true;
  assert.equal(nextToSend(waiting).length, 1);
  assert.equal(nextToSend(of("paused", "failed", "queued")).length, 1);
});

test("pieces are as large as what goes well between breaks allows", () => {
  assert.equal(pieceSize({ sent: 0, breaks: 0 }), 16 * MIB);
  assert.equal(pieceSize({ sent: 100 * MIB, breaks: 1 }), 5 * MIB);
  assert.equal(pieceSize({ sent: 100 * MIB, breaks: 50 }), MIB);
  assert.equal(pieceSize({ sent: 9000 * MIB, breaks: 2 }), 16 * MIB);
});

test("pauses grow, up to half a minute", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 60].map(pauseAfter), [1, 2, 4, 8, 16, 30, 30]);
});

test("what an answer means", () => {
  const meant = (next, ...statuses) => statuses.forEach((status) => assert.equal(whatNext(status), next, String(status)));
  meant("again", 0, 409, 423, 429, 460, 500, 502, 503);
  meant("anew", 404, 410);
  meant("ask", 401, 403);
  meant("refused", 400, 412, 413, 415, 507);
});

test("a file that is chosen again continues the one of its name, folder and size", () => {
  const one = { name: "a.wav", folder: "valley/2019", size: 5, modified: 0 };
  const two = { ...one, folder: "valley/2020" };
  assert.equal(continuedBy({ ...two, modified: 7 }, [one, two]), two);
  assert.equal(continuedBy({ ...one, size: 6 }, [one, two]), undefined);
  assert.equal(continuedBy({ ...one, folder: "" }, [one, two]), undefined, "which of the two?");
  assert.equal(continuedBy({ ...one, folder: "" }, [one]), one, "chosen alone, it tells no folder");
  assert.equal(continuedBy({ ...one, folder: "other" }, [one]), undefined);
  assert.equal(continuedBy({ ...one, modified: 9 }, [{ ...one, modified: 8 }]), undefined, "changed since");
});

test("how a transfer stands is said in words", () => {
  const [transfer] = of("sending");
  transfer.sent = 50;
  transfer.meter.note(50, 10);
  assert.equal(detailOf(transfer, words), "50% · 5\u00a0bytes/s · 10 s left");
  const said = (status, more = {}) => detailOf({ ...transfer, status, ...more }, words);
  assert.equal(said("queued"), "50% · queued");
  assert.equal(said("queued", { sent: 0 }), "100\u00a0bytes · queued");
  assert.equal(said("sending", { sent: 100 }), "storing");
  assert.equal(said("sending", { isTrying: true }), "50%, waiting");
  assert.equal(said("waiting"), "50%, waiting");
  assert.equal(said("waiting", { isElsewhere: true }), "50%, elsewhere");
  assert.equal(said("paused"), "Paused at 50%");
  assert.equal(said("elsewhere"), "50%, elsewhere");
  assert.equal(said("broken"), "Interrupted at 50%");
  assert.equal(said("lost"), "not uploaded");
  assert.equal(said("failed"), "");
});

test("a speed is smoothed, and going back a piece is not a negative one", () => {
  const meter = new Meter(0);
  assert.equal(meter.left(100), null);
  meter.note(10, 1);
  assert.equal(meter.speed, 10);
  meter.note(5, 2);
  assert.ok(meter.speed > 0 && meter.speed < 10);
  assert.ok(meter.left(100) > 9);
});

test("the whole counts refused files as ended and their bytes not at all", () => {
  const transfers = of("done", "duplicate", "refused", "sending");
  transfers[3].sent = 40;
  assert.deepEqual(overall(transfers), { files: 4, ended: 3, bytes: 300, sent: 240 });
});
