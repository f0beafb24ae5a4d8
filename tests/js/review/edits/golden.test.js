/** The cases that both languages are held to; GOLDEN_DIR names another folder, which may lack some. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { apply, InvalidEdit, KINDS } from "../../../../review/static/review/edits/edits.js";
import { between, spread } from "../../../../review/static/review/edits/fractional-index.js";
import { align, fit, machineOffset, splitWords } from "../../../../review/static/review/edits/timing.js";
import { stateOf } from "../../support.js";

const FOLDER = process.env.GOLDEN_DIR ?? new URL("../../../golden", import.meta.url).pathname;

const TIMING = {
  align: ({ words, text, start, end }) => align(words, text, start, end),
  fit: ({ words, old, new: fresh }) => fit(words, timesOf(old), timesOf(fresh)),
  split: ({ at, ...row }) => {
    const { left, right, middle } = splitWords(row, at);
    return [left, right, middle];
  },
  cutMachineText: ({ text, at, machine }) => machineOffset(text, at, machine),
};

const timesOf = ([start, end]) => ({ start, end });

const ANSWERS = {
  "fractional_index.json": ({ input }) => ({ output: input.between ? between(...input.between) : spread(input.spread) }),
  "timing.json": ({ input }) => {
    const [verb] = Object.keys(input);
    return { output: TIMING[verb](input[verb]) };
  },
  "edits.json": ({ state, edit }) => ({ patch: apply(stateOf(state), edit) }),
};

for (const [file, answer] of Object.entries(ANSWERS)) {
  const path = `${FOLDER}/${file}`;
  const cases = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : [];
  const skip = cases.length || !process.env.GOLDEN_DIR ? false : "there are no golden cases here";
  test(`${file}: ${cases.length} cases`, { skip }, async (all) => {
    assert.ok(cases.length, "there are cases");
    for (const golden of cases) await all.test(golden.name, () => check(expanded(golden), answer));
  });
}

test("every file is read, every kind has a case", { skip: Boolean(process.env.GOLDEN_DIR) }, () => {
  assert.deepEqual(readdirSync(FOLDER).filter((name) => name.endsWith(".json")).sort(), Object.keys(ANSWERS).sort());
  const cases = JSON.parse(readFileSync(`${FOLDER}/edits.json`, "utf8"));
  const kinds = new Set(cases.filter(({ patch }) => patch).map(({ edit }) => edit.kind));
  assert.deepEqual([...kinds].sort(), Object.keys(KINDS).sort());
});

function check({ output, patch, error, ...given }, answer) {
  const expected = { ...(output !== undefined && { output }), ...(patch && { patch }), ...(error && { error }) };
  assert.deepEqual(answered(given, answer), expected);
}

function answered(given, answer) {
  try {
    return answer(given);
  } catch (problem) {
    if (problem instanceof InvalidEdit) return { error: problem.code };
    throw problem;
  }
}

/** Long texts are written `{"repeat": [text, times]}`. */
function expanded(value) {
  if (Array.isArray(value)) return value.map(expanded);
  if (!value || typeof value !== "object") return value;
  if (Object.keys(value).join() === "repeat") return value.repeat[0].repeat(value.repeat[1]);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, expanded(each)]));
}
