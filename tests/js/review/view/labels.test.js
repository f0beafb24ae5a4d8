/** What the page calls segments and speakers, and who speaks how much. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Words } from "../../../../bulktranscribe/static/bulktranscribe/words.js";
import { nameOf, reasonsOf } from "../../../../review/static/review/view/labels.js";
import { sharesOf } from "../../../../review/static/review/view/speaker-shares.js";
import { segment, speaker, uuid } from "../../support.js";

const words = new Words({ "flag-low_confidence": "unsure", "flag-too_fast": "too fast", flag: "the worker says {kind}" });

test("a speaker has the name that somebody gave, else the machine's", () => {
  assert.equal(nameOf(speaker(0, { name: "Ida" })), "Ida");
  assert.equal(nameOf(speaker(0)), "SPEAKER_00");
});

test("open reasons are said in their order, dismissed ones are not", () => {
  const flags = [{ kind: "too_fast" }, { kind: "low_confidence", dismissed: true }, { kind: "low_confidence" }];
  assert.deepEqual(reasonsOf(segment(0, "", { flags }), words), ["too fast", "unsure"]);
  assert.deepEqual(reasonsOf(segment(0, ""), words), []);
});

test("a reason that the page has no sentence for is told by its name", () => {
  assert.deepEqual(reasonsOf({ flags: [{ kind: "music" }] }, words), ["the worker says music"]);
});

test("shares are of the time that is spoken, not of the recording", () => {
  const spoken = (start, end, key) => ({ start, end, speaker: key });
  const shares = sharesOf([spoken(0, 3, uuid(1)), spoken(100, 101, uuid(2)), spoken(50, 52, null)]);
  assert.deepEqual([...shares], [[uuid(1), 0.5], [uuid(2), 1 / 6], [null, 1 / 3]]);
  assert.equal([...shares.values()].reduce((sum, share) => sum + share, 0), 1);
});

test("where nobody says anything all shares are nothing, not a half", () => {
  assert.deepEqual([...sharesOf([])], []);
  assert.deepEqual([...sharesOf([{ start: 5, end: 5, speaker: uuid(1) }])], [[uuid(1), 0]]);
});
