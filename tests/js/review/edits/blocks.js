/** Pairs of token lists as JSON on stdin; their matching blocks on stdout, for a test in Python to compare. */

import { readFileSync } from "node:fs";

import { matchingBlocks } from "../../../../review/static/review/edits/matching-blocks.js";

const pairs = JSON.parse(readFileSync(0, "utf8"));
const blocks = pairs.map((pair) => matchingBlocks(...pair).map(({ old, fresh, size }) => [old, fresh, size]));
process.stdout.write(JSON.stringify(blocks));
