import assert from "node:assert/strict";
import { test } from "node:test";

import { deaf, FakeBrowser, offline, settled } from "./fake_browser.js";
import { RandomEdits } from "../edits/random_edits.js";
import { Chance, plain, uuid } from "../../support.js";

const TEXTS = ["So the mill closed", "And who kept the ledger?", "Nobody. My aunt."];
const HOUR = 3_600_000;

const setText = (number, text) => ({ kind: "SetText", segment: uuid(number), text });
const onServer = (browser, number) => browser.server.state.segments.get(uuid(number))?.text;
const here = (tab, number) => tab.copy.store.state.segments.get(uuid(number))?.text;

async function workspace() {
  const browser = new FakeBrowser(TEXTS);
  return { browser, tab: await browser.open() };
}

test("an edit is with the server within half a second", async () => {
  const { browser, tab } = await workspace();
  assert.deepEqual(tab.state(), { name: "saved", count: 0, isKept: true });
  tab.copy.act([setText(0, "Mine")]);
  assert.deepEqual(tab.state(), { name: "saving", count: 1, isKept: false });
  await browser.timer.pass(500);
  assert.equal(onServer(browser, 0), "Mine");
  assert.deepEqual([tab.state().name, browser.disk.steps], ["saved", []]);
});

test("a step counts as kept when it is on the disk, not before", async () => {
  const { browser, tab } = await workspace();
  browser.network = offline;
  let write;
  browser.disk.isSlow = new Promise((resolve) => (write = resolve));
  tab.copy.act([setText(0, "Mine")]);
  await browser.timer.pass(2000);
  assert.deepEqual([tab.state().isKept, browser.posts.length], [false, 0]);
  write();
  await settled();
  assert.deepEqual([tab.state().isKept, browser.disk.steps.length], [true, 1]);
  await browser.timer.pass(1000);
  assert.deepEqual(tab.state(), { name: "offline", count: 1, isKept: true });
});

test("typing on is one batch, and nothing of it is sent twice", async () => {
  const { browser, tab } = await workspace();
  for (const text of ["M", "Mi", "Min", "Mine"]) {
    tab.copy.act([setText(0, text)]);
    await browser.timer.pass(50);
  }
  await browser.timer.pass(500);
  assert.deepEqual(browser.posts.map(({ edits }) => edits.map((edit) => edit.text)), [["Mine"]]);
  assert.deepEqual(browser.disk.steps, []);
});

test("what is typed while a batch is on its way comes in the next one", async () => {
  const { browser, tab } = await workspace();
  let answered;
  browser.network = (answer) => new Promise((resolve) => (answered = () => resolve(answer())));
  tab.copy.act([setText(0, "Mi")]);
  await browser.timer.pass(450);
  tab.copy.act([setText(0, "Mine")]);
  await settled();
  assert.equal(tab.state().count, 2);
  browser.network = async (answer) => answer();
  answered();
  await browser.timer.pass(500);
  assert.deepEqual([browser.posts.length, onServer(browser, 0), tab.state().name], [2, "Mine", "saved"]);
});

test("an hour offline loses nothing, and all comes in order when the network is back", async () => {
  const { browser, tab } = await workspace();
  browser.network = offline;
  for (let minute = 0; minute < 60; minute += 1) {
    tab.copy.act([setText(minute % 2, `Minute ${minute}`)]);
    await browser.timer.pass(HOUR / 60);
  }
  assert.deepEqual(tab.state(), { name: "offline", count: 60, isKept: true });
  browser.network = async (answer) => answer();
  tab.copy.outbox.wake(); // the browser says "online"
  await browser.timer.pass(1000);
  const texts = browser.posts.map(({ edits }) => edits[0].text);
  assert.deepEqual(texts, Array.from({ length: 60 }, (_, minute) => `Minute ${minute}`));
  assert.deepEqual([tab.state().name, browser.disk.steps], ["saved", []]);
});

test("without a word from the browser it is tried again, less and less often", async () => {
  const { browser, tab } = await workspace();
  const times = [];
  browser.network = async () => {
    times.push(browser.timer.now());
    throw { status: 503, body: null };
  };
  tab.copy.act([setText(0, "Mine")]);
  await browser.timer.pass(120_000);
  const pauses = times.slice(1).map((time, index) => time - times[index]);
  assert.deepEqual(pauses.slice(0, 8), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  browser.network = async (answer) => answer();
  await browser.timer.pass(30_000);
  assert.equal(tab.state().name, "saved");
});

test("an answer that was lost is asked for again, and nothing is applied twice", async () => {
  const { browser, tab } = await workspace();
  browser.network = deaf;
  tab.copy.act([{ kind: "Split", segment: uuid(0), at: 6, newKey: uuid(9) }]);
  await browser.timer.pass(600);
  assert.equal(tab.state().name, "offline");
  browser.network = async (answer) => answer();
  await browser.timer.pass(2000);
  assert.deepEqual([browser.server.version, tab.state().name], [2, "saved"]);
  assert.deepEqual(plain(tab.copy.store.state).segments, plain(browser.server.state).segments);
});

test("a crash and a reload lose nothing, whether or not the server had it", async () => {
  for (const network of [offline, deaf]) {
    const { browser, tab } = await workspace();
    browser.network = network;
    await tab.copy.act([setText(0, "Mine")]);
    await browser.timer.pass(450);
    await tab.copy.act([setText(1, "Mine too")]);
    browser.crash(tab);
    browser.network = async (answer) => answer();
    const again = await browser.open();
    assert.deepEqual([here(again, 0), here(again, 1), again.state().count], ["Mine", "Mine too", 2]);
    await again.copy.act([setText(1, "And more")]); // on top of what is on its way: no clash with oneself
    await browser.timer.pass(1000);
    assert.deepEqual([onServer(browser, 0), onServer(browser, 1), again.state().name], ["Mine", "And more", "saved"]);
    assert.deepEqual(browser.disk.steps, []);
  }
});

test("when the page goes away, what waits is handed over at once", async () => {
  const { browser, tab } = await workspace();
  await tab.copy.act([setText(0, "Mine")]);
  tab.copy.outbox.flush();
  assert.equal(onServer(browser, 0), "Mine"); // in the same breath: nothing runs afterwards
  await browser.timer.pass(1000);
  assert.deepEqual([browser.posts.length, tab.state().name], [1, "saved"]);
});

test("who is signed out is told so, and goes on after signing in", async () => {
  const { browser, tab } = await workspace();
  browser.network = async () => {
    throw { status: 401, body: null };
  };
  await tab.copy.act([setText(0, "Mine")]);
  await browser.timer.pass(1000);
  assert.deepEqual(tab.state(), { name: "signed-out", count: 1, isKept: true });
  browser.network = async (answer) => answer();
  tab.copy.outbox.wake();
  await browser.timer.pass(100);
  assert.deepEqual([onServer(browser, 0), tab.state().name], ["Mine", "saved"]);
});

test("who may not change the transcript any more is told so, and keeps what was written", async () => {
  const { browser, tab } = await workspace();
  browser.network = async () => {
    throw { status: 404, body: null };
  };
  await tab.copy.act([setText(0, "Mine")]);
  await browser.timer.pass(1000);
  assert.deepEqual(tab.state(), { name: "no-access", count: 1, isKept: true });
});

async function clash(texts = TEXTS) {
  const browser = new FakeBrowser(texts);
  const other = new FakeBrowser(texts, { server: browser.server, timer: browser.timer, name: "other" });
  const tab = await browser.open();
  const theirs = await other.open();
  theirs.copy.act([setText(0, "Theirs")]);
  await browser.timer.pass(500);
  tab.copy.act([setText(0, "Mine")]);
  await browser.timer.pass(500);
  return { browser, tab };
}

test("a clash is told with both texts, and edits elsewhere go on", async () => {
  const { browser, tab } = await clash();
  assert.equal(tab.state().name, "clash");
  const { clashes } = tab.told.find((event) => event.kind === "clash");
  assert.deepEqual([clashes[0].rows[0].mine.text, clashes[0].rows[0].theirs.text], ["Mine", "Theirs"]);
  tab.copy.act([setText(1, "Elsewhere")]);
  tab.copy.act([setText(0, "Mine, and more")]);
  tab.copy.undo();
  tab.copy.act([setText(2, "Behind the undo")]);
  await browser.timer.pass(1000);
  assert.deepEqual([0, 1, 2].map((n) => onServer(browser, n)), ["Theirs", "Elsewhere", TEXTS[2]]);
  assert.equal(tab.state().count, 4);
});

test("mine and theirs settle a clash, also after a reload", async () => {
  for (const [choice, text] of [["mine", "Mine"], ["theirs", "Theirs"]]) {
    const { browser, tab } = await clash();
    browser.crash(tab);
    const again = await browser.open();
    await browser.timer.pass(500);
    assert.equal(again.state().name, "clash");
    await again.copy.decide(again.copy.store.clashes[0].id, choice);
    await browser.timer.pass(500);
    assert.deepEqual([onServer(browser, 0), here(again, 0), again.state().name], [text, text, "saved"]);
    assert.deepEqual(browser.disk.steps, []);
  }
});

test("an undo that meets what others changed since is refused, and blocks nothing", async () => {
  const { browser, tab } = await workspace();
  tab.copy.act([setText(0, "Mine")]);
  await browser.timer.pass(500);
  const other = new FakeBrowser(TEXTS, { server: browser.server, timer: browser.timer, name: "other" });
  (await other.open()).copy.act([setText(0, "Theirs")]);
  await browser.timer.pass(500);
  tab.copy.undo();
  tab.copy.act([setText(1, "Elsewhere")]);
  await browser.timer.pass(1000);
  assert.deepEqual([onServer(browser, 0), onServer(browser, 1)], ["Theirs", "Elsewhere"]);
  assert.deepEqual([tab.state(), browser.disk.steps], [{ name: "saved", count: 0, isKept: true }, []]);
  assert.equal(tab.told.filter(({ kind }) => kind === "refused").length, 1);
  assert.deepEqual(tab.copy.store.clashes, []);
});

test("what the server refuses is told with what was written, and holds up nothing", async () => {
  const { browser, tab } = await workspace();
  browser.network = async () => {
    throw { status: 422, body: { error: { code: "INVALID_FIELD", message: "No." } } };
  };
  tab.copy.act([setText(0, "Refused")]);
  await browser.timer.pass(450);
  browser.network = async (answer) => answer();
  tab.copy.act([setText(1, "Fine")]);
  await browser.timer.pass(1000);
  const refused = tab.told.find((event) => event.kind === "refused");
  assert.deepEqual([refused.edits[0].text, refused.problem.error.code], ["Refused", "INVALID_FIELD"]);
  assert.deepEqual([here(tab, 0), onServer(browser, 1), tab.state().name], [TEXTS[0], "Fine", "saved"]);
});

test("a full disk stops nothing, but what is only in this tab is not said to be kept", async () => {
  const { browser, tab } = await workspace();
  browser.disk.isFull = true;
  browser.network = offline;
  await tab.copy.act([setText(0, "Mine")]);
  await browser.timer.pass(1000);
  assert.deepEqual(tab.state(), { name: "offline", count: 1, isKept: false });
  browser.network = async (answer) => answer();
  await browser.timer.pass(5000);
  assert.equal(tab.state().name, "saved");
});

test("two tabs send one at a time, each its own", async () => {
  const { browser, tab } = await workspace();
  const second = await browser.open();
  assert.notEqual(tab.copy.store.client, second.copy.store.client);
  browser.network = async (answer) => {
    await settled();
    return answer();
  };
  for (let number = 0; number < 5; number += 1) {
    tab.copy.act([setText(0, `First ${number}`)], { canCoalesce: false });
    second.copy.act([setText(1, `Second ${number}`)], { canCoalesce: false });
  }
  await browser.timer.pass(3000);
  for (let round = 0; round < 100; round += 1) await settled();
  assert.deepEqual([browser.posts.length, browser.doors.most], [10, 1]);
  assert.deepEqual([onServer(browser, 0), onServer(browser, 1)], ["First 4", "Second 4"]);
});

test("steps of a tab that is open stay its own; those of one that crashed go to the next", async () => {
  const { browser, tab } = await workspace();
  browser.network = offline;
  await tab.copy.act([setText(0, "First")]);
  const second = await browser.open();
  assert.equal(second.state().count, 0);
  browser.crash(tab);
  const third = await browser.open();
  assert.deepEqual([third.state().count, third.copy.store.client], [1, tab.copy.store.client]);
});

test("through cuts, crashes and lost answers, by chance, everything arrives once and in order", async () => {
  for (let seed = 1; seed <= 15; seed += 1) {
    const chance = new Chance(seed);
    const browser = new FakeBrowser(TEXTS, { name: `seed-${seed}` });
    const edits = new RandomEdits(chance);
    let tab = await browser.open();
    for (let number = 0; number < 60; number += 1) tab = await happen(chance, browser, tab, edits);
    browser.network = async (answer) => answer();
    tab.copy.outbox.wake();
    await browser.timer.pass(HOUR);
    assert.deepEqual(tab.state(), { name: "saved", count: 0, isKept: true }, `seed ${seed}`);
    assert.deepEqual(browser.disk.steps, [], `seed ${seed}`);
    assert.deepEqual(plain(tab.copy.store.state).segments, plain(browser.server.state).segments, `seed ${seed}`);
    const arrived = [...browser.server.answers.keys()];
    const numbers = arrived.map((id) => Number(id.split("-").at(-1)));
    assert.deepEqual(numbers, [...numbers].sort((one, other) => one - other), `seed ${seed}: in order`);
    assert.ok(arrived.length > 20, `seed ${seed}: ${arrived.length} arrived`);
  }
});

async function happen(chance, browser, tab, edits) {
  const what = chance.below(12);
  if (what < 8) await act(tab, edits);
  else if (what === 8) browser.network = chance.of([offline, deaf, async (answer) => answer()]);
  else if (what === 9) tab.copy.outbox.flush();
  else if (what === 10) tab.copy.undo();
  await browser.timer.pass(chance.below(900));
  if (what < 11) return tab;
  browser.crash(tab);
  return browser.open();
}

async function act(tab, edits) {
  try {
    await tab.copy.act([edits.next(tab.copy.store.state)]);
  } catch (problem) {
    assert.equal(typeof problem.code, "string", String(problem.stack));
  }
}
