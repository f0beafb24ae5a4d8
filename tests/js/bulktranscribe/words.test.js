/** Numbers and sentences for people. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { served } from "../served.js";

const { clock, Words } = await served("bulktranscribe/words.js");

const SENTENCES = {
  greeting: "Hello {name}, {name}!",
  price: "{amount} of {total}",
  "files.one": "{n} file",
  "files.other": "{n} files",
  seconds: "{s} s",
  minutes: "{m} min",
  hours: "{h} h {m} min",
};
const words = new Words(SENTENCES);

test("a clock has hours only where there are some, and never a negative time", () => {
  const cases = [[0, "0:00"], [59.99, "0:59"], [60, "1:00"], [75.2, "1:15"], [3599, "59:59"], [3600, "1:00:00"], [3675, "1:01:15"], [360_000, "100:00:00"]];
  for (const [seconds, text] of cases) assert.equal(clock(seconds), text);
  for (const nothing of [-1, NaN, Infinity, undefined]) assert.equal(clock(nothing), "0:00", String(nothing));
});

test("values are put into a sentence wherever their name stands; what is not known stays as it is", () => {
  assert.equal(words.say("greeting", { name: "Ida" }), "Hello Ida, Ida!");
  assert.equal(words.say("price", { amount: 0 }), "0 of {total}");
  assert.equal(words.say("greeting", { name: "{name}" }), "Hello {name}, {name}!", "a value is no sentence");
  assert.equal(words.say("greeting", { name: "$&" }), "Hello $&, $&!", "nor a pattern");
});

test("a sentence that the page does not have is a mistake, and one can ask first", () => {
  assert.throws(() => words.say("farewell"), /farewell/);
  assert.equal(words.knows("farewell"), false);
  assert.equal(words.knows("greeting"), true);
});

test("a number chooses the form that its language has for it", () => {
  assert.deepEqual([0, 1, 2, 1200].map((n) => words.count("files", n)), ["0 files", "1 file", "2 files", "1,200 files"]);
  const forms = { "files.one": "{n} plik", "files.few": "{n} pliki", "files.many": "{n} plików", "files.other": "{n} pliku" };
  const polish = new Words(forms, "pl");
  assert.deepEqual([1, 2, 5, 22, 1.5].map((n) => polish.count("files", n)), ["1 plik", "2 pliki", "5 plików", "22 pliki", "1,5 pliku"]);
  assert.equal(new Words({ "files.other": "{n} files" }).count("files", 1), "1 files", "a form that is missing is the other one");
});

test("more values than the number go into the sentence that was chosen", () => {
  const more = new Words({ "found.one": "{n} hit in {where}", "found.other": "{n} hits in {where}" });
  assert.equal(more.count("found", 2, { where: "Mill" }), "2 hits in Mill");
});

test("lengths of time are as exact as a person wants them", () => {
  const cases = [[0, "0 s"], [-5, "0 s"], [59.9, "59 s"], [60, "1 min"], [89, "1 min"], [90, "2 min"], [3569, "59 min"], [3600, "1 h 0 min"], [4320, "1 h 12 min"]];
  for (const [seconds, text] of cases) assert.equal(words.duration(seconds), text, String(seconds));
});

test("sizes are written as the server writes them", () => {
  const cases = [[0, "0\u00a0bytes"], [999, "999\u00a0bytes"], [1000, "1.0\u00a0KB"], [1536, "1.5\u00a0KB"], [10 ** 6, "1.0\u00a0MB"], [2.26e9, "2.3\u00a0GB"], [10 ** 15, "1000.0\u00a0TB"]];
  for (const [bytes, text] of cases) assert.equal(words.size(bytes), text);
});
