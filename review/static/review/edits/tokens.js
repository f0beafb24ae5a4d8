/** Texts as tokens: what is aligned, counted and cut; lengths and offsets count code points. Pure.
 *
 * A token is a run of characters without space; a character of a script that is written without spaces is one
 * of its own. review/edits/tokens.py has the same sets.
 */

const SPACES = "\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const UNSPACED = [
  "\\u0e00-\\u0eff", // Thai, Lao
  "\\u1000-\\u109f\\uaa60-\\uaa7f\\ua9e0-\\ua9ff", // Myanmar
  "\\u1780-\\u17ff", // Khmer
  "\\u3040-\\u30ff\\u31f0-\\u31ff\\uff66-\\uff9f", // Hiragana, Katakana
  "\\u2e80-\\u2fdf\\u3005-\\u3007\\u3021-\\u3029\\u3038-\\u303b", // Han: radicals, repetition, numerals
  "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}", // Han
].join("");
const UNSPACED_PUNCTUATION = "\\u3001-\\u3004\\u3008-\\u3020\\u3030\\uff00-\\uff65";
const TOKEN = new RegExp(`[${UNSPACED}]|[^${SPACES}${UNSPACED}]+`, "gu");
const UNSPACED_ONE = new RegExp(`^[${UNSPACED}]$`, "u");
const SPACE = new RegExp(`[${SPACES}]+`, "gu");
const SPACE_AT_START = new RegExp(`^[${SPACES}]+`, "u");
const CLOSE_AT_START = new RegExp(`^[${UNSPACED}${UNSPACED_PUNCTUATION}]`, "u");
const CLOSE_AT_END = new RegExp(`[${UNSPACED}${UNSPACED_PUNCTUATION}]$`, "u");

/** Return `{ text, at, end, gap }` for each token: its offsets, and the space before it ("" for the first). */
export function tokensOf(text) {
  const found = [];
  let [unit, point] = [0, 0]; // where we are in UTF-16 units, as the matches are, and in code points
  for (const match of text.matchAll(TOKEN)) {
    const gap = found.length && match.index > unit ? " " : "";
    const at = point + lengthOf(text.slice(unit, match.index));
    point = at + lengthOf(match[0]);
    unit = match.index + match[0].length;
    found.push({ text: match[0], at, end: point, gap });
  }
  return found;
}

/** Whether a character belongs to a script that is written without spaces. */
export function isUnspaced(character) {
  return UNSPACED_ONE.test(character);
}

/** Number of code points. */
export function lengthOf(text) {
  let count = 0;
  for (const _character of text) count += 1;
  return count;
}

/** The text without its spaces. */
export function squeezed(text) {
  return text.replace(SPACE, "");
}

export function trimStart(text) {
  return text.replace(SPACE_AT_START, "");
}

export function trimEnd(text) {
  const ink = squeezed(text.slice(-1)) ? text.length : text.search(new RegExp(`[${SPACES}]+$`, "u"));
  return text.slice(0, ink);
}

/** Cut at an offset in code points. */
export function cutAt(text, at) {
  const characters = [...text];
  return [characters.slice(0, at).join(""), characters.slice(at).join("")];
}

/** What joins two texts: a space, but nothing beside a script without spaces or an empty text. */
export function gapBetween(left, right) {
  return !left || !right || CLOSE_AT_END.test(left) || CLOSE_AT_START.test(right) ? "" : " ";
}

/** Return both texts as one. */
export function joined(left, right) {
  const [earlier, later] = [trimEnd(left), trimStart(right)];
  return earlier + gapBetween(earlier, later) + later;
}

/** Whether two tokens differ in case and punctuation only. */
export function areAlike(one, other) {
  return bare(one) === bare(other);
}

function bare(token) {
  return token.toLowerCase().replace(/\p{P}/gu, "");
}
