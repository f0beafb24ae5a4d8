/** What became of a text, word by word. Pure but for drawDifferences. */

import { matchingBlocks } from "../edits/matching-blocks.js";
import { tokensOf } from "../edits/tokens.js";

/** Return pieces `{ kind: "same" | "gone" | "fresh", text }` in reading order: those that are not fresh make the words
 * of `old`, those that are not gone make `fresh` as it is, with its spaces. */
export function differencesOf(old, fresh) {
  if (old === fresh) return pieces([["same", fresh]]);
  const [before, after] = [old, fresh].map((text) => ({ characters: [...text], tokens: tokensOf(text) }));
  const blocks = matchingBlocks(before.tokens.map(textOf), after.tokens.map(textOf));
  const found = [];
  let [a, b] = [0, 0]; // the tokens that are told of, on either side
  for (const { old: oldAt, fresh: freshAt, size } of [...blocks, endOf(before, after)]) {
    found.push(["gone", stretch(before, a, oldAt)], ["fresh", stretch(after, b, freshAt)], ["same", stretch(after, freshAt, freshAt + size)]);
    [a, b] = [oldAt + size, freshAt + size];
  }
  const told = pieces(found);
  const isSeen = told.some(({ kind }) => kind !== "same");
  return isSeen ? told : pieces([["gone", old], ["fresh", fresh]]); // only spaces differ
}

const textOf = ({ text }) => text;

function endOf(before, after) {
  return { old: before.tokens.length, fresh: after.tokens.length, size: 0 };
}

/** The text of these tokens with the space behind each, up to the next; what is before the first belongs to it. */
function stretch({ characters, tokens }, from, to) {
  if (from >= to) return "";
  const start = from === 0 ? 0 : tokens[from].at;
  const end = to < tokens.length ? tokens[to].at : characters.length;
  return characters.slice(start, end).join("");
}

function pieces(found) {
  const told = [];
  for (const [kind, text] of found) {
    if (!text) continue;
    if (told.at(-1)?.kind === kind) told.at(-1).text += text;
    else told.push({ kind, text });
  }
  return told;
}

/** Show the difference in an element: what is gone struck through, what is fresh underlined, all of it as text. */
export function drawDifferences(element, old, fresh) {
  const names = { same: "span", gone: "del", fresh: "ins" };
  const parts = differencesOf(old, fresh).map(({ kind, text }) => {
    const part = document.createElement(names[kind]);
    part.textContent = text;
    return part;
  });
  element.replaceChildren(...parts);
}
