/** Times of words through edits of their text. Pure; review/edits/word_timing.py gives the same numbers.
 *
 * A word is as on the wire: `[text, start, end, probability, estimated (0 or 1), gap before it]`.
 */

import { matchingBlocks } from "./matching-blocks.js";
import { areAlike, cutAt, lengthOf, squeezed, tokensOf } from "./tokens.js";

/** Seconds as on the wire: three decimals, halves upwards in both languages. */
export function rounded(seconds) {
  return Math.floor(seconds * 1000 + 0.5) / 1000;
}

/** The text that these words are. */
export function textOf(words) {
  return words.map((word) => word[5] + word[0]).join("");
}

/** Return the words of a new text: tokens that stay keep their times, new ones share the room between them. */
export function align(words, text, start, end) {
  const old = timedTokens(words);
  const tokens = tokensOf(text);
  const kept = keptTokens(old, tokens);
  const result = [];
  let run = [];
  let left = start;
  for (const [index, token] of tokens.entries()) {
    const source = kept[index];
    if (!source) {
      run.push(token);
      continue;
    }
    const word = [token.text, rounded(source[1]), rounded(source[2]), source[3], source[4], token.gap];
    for (const fresh of shared(run, left, source[1])) result.push(fresh);
    result.push(word);
    [run, left] = [[], source[2]];
  }
  return [...result, ...shared(run, left, end)];
}

/** For each new token the old one whose times it has, or undefined. */
function keptTokens(old, fresh) {
  const oldTexts = old.map((word) => word[0]);
  const texts = fresh.map((token) => token.text);
  const kept = new Array(fresh.length);
  let [i, j] = [0, 0];
  for (const block of [...matchingBlocks(oldTexts, texts), { old: old.length, fresh: fresh.length, size: 0 }]) {
    const isEven = block.old - i === block.fresh - j;
    for (; isEven && j < block.fresh; i += 1, j += 1) if (areAlike(oldTexts[i], texts[j])) kept[j] = old[i];
    for (let step = 0; step < block.size; step += 1) kept[block.fresh + step] = old[block.old + step];
    [i, j] = [block.old + block.size, block.fresh + block.size];
  }
  return kept;
}

/** Words cut into tokens: a token inside a word has its share of the time, one of several words spans them. */
function timedTokens(words) {
  const bounds = [];
  let offset = 0;
  for (const word of words) {
    const from = offset + word[5].length;
    offset = from + lengthOf(word[0]);
    bounds.push({ from, to: offset, word });
  }
  let first = 0;
  return tokensOf(textOf(words)).map(({ text, at, end, gap }) => {
    while (bounds[first].to <= at) first += 1;
    let last = first;
    while (bounds[last].to < end) last += 1;
    const parts = bounds.slice(first, last + 1).map(({ word }) => word);
    const probability = parts.reduce((least, word) => Math.min(least, word[3]), 1);
    const estimated = parts.some((word) => word[4]) ? 1 : 0;
    return [text, momentAt(bounds[first], at), momentAt(bounds[last], end), probability, estimated, gap];
  });
}

function momentAt({ from, to, word }, offset) {
  return word[1] + ((word[2] - word[1]) * (offset - from)) / (to - from);
}

/** Share a span among new tokens in proportion to their characters. */
function shared(tokens, left, right) {
  const total = tokens.reduce((sum, token) => sum + lengthOf(token.text), 0);
  const span = Math.max(0, right - left);
  let before = 0;
  return tokens.map(({ text, gap }) => {
    const start = rounded(left + (span * before) / total);
    before += lengthOf(text);
    return [text, start, rounded(left + (span * before) / total), 1, 1, gap];
  });
}

/** Fit words into new times of their segment: cut off where both overlap, else all moved and stretched along. */
export function fit(words, from, to) {
  if (to.start < from.end && from.start < to.end) return moved(words, to, (time) => time);
  if (from.end <= from.start) return align([], textOf(words), to.start, to.end);
  const scale = (to.end - to.start) / (from.end - from.start);
  return moved(words, to, (time) => to.start + (time - from.start) * scale);
}

function moved(words, to, place) {
  return words.map((word) => withTimes(word, clamped(place(word[1]), to), clamped(place(word[2]), to)));
}

function withTimes([text, start, end, probability, estimated, gap], newStart, newEnd) {
  const hasMoved = newStart !== start || newEnd !== end;
  return [text, newStart, newEnd, probability, hasMoved ? 1 : estimated, gap];
}

function clamped(moment, { start, end }) {
  return rounded(Math.min(Math.max(moment, start), end));
}

/** Cut a segment's words at an offset of its text: the words before and behind, and the time between them. */
export function splitWords({ words, text, start, end }, at) {
  const before = lengthOf(squeezed(cutAt(text, at)[0]));
  const total = lengthOf(squeezed(text));
  if (!words.length) return { left: [], right: [], middle: rounded(start + ((end - start) * before) / total) };
  const isCurrent = squeezed(textOf(words)) === squeezed(text);
  const [left, right] = divided(isCurrent ? words : align(words, text, start, end), before);
  right[0] = [...right[0].slice(0, 5), ""];
  const middle = rounded((left.at(-1)[2] + right[0][1]) / 2);
  return { left, right, middle: clamped(middle, { start, end }) };
}

/** The words with the first `before` characters (spaces do not count), and the others. */
function divided(words, before) {
  const [left, right] = [[], []];
  let count = 0;
  for (const word of words) {
    const size = lengthOf(squeezed(word[0]));
    if (count + size <= before) {
      left.push(word);
    } else if (count >= before) {
      right.push(word);
    } else {
      const [head, tail] = cutWord(word, before - count);
      left.push(head);
      right.push(tail);
    }
    count += size;
  }
  return [left, right];
}

function cutWord([text, start, end, probability, , gap], at) {
  const middle = rounded(start + ((end - start) * at) / lengthOf(text));
  const [head, tail] = cutAt(text, at);
  return [
    [head, start, middle, probability, 1, gap],
    [tail, middle, end, probability, 1, ""],
  ];
}

/** Return the offset in the machine's text that corresponds to `at` in the text; never inside a token. */
export function machineOffset(text, at, machineText) {
  const [ours, theirs] = [tokensOf(text), tokensOf(machineText)];
  const cut = ours.filter((token) => token.at < at).length;
  let low = [0, 0];
  let high = [ours.length, theirs.length];
  for (const { old, fresh, size } of matchingBlocks(textsOf(ours), textsOf(theirs)).reverse()) {
    if (old + size > cut) high = [Math.max(old, cut), fresh + Math.max(0, cut - old)];
    if (old < cut && low[0] === 0) low = [Math.min(old + size, cut), fresh + Math.min(size, cut - old)];
  }
  const width = high[0] - low[0];
  const place = low[1] + (width ? Math.floor(((high[1] - low[1]) * (cut - low[0])) / width) : 0);
  return theirs[place]?.at ?? lengthOf(machineText);
}

const textsOf = (tokens) => tokens.map((token) => token.text);
