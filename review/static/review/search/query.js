/** Finding a query in the text of a segment. Pure; offsets in UTF-16 units, as ranges of the DOM count.
 *
 * Texts are compared folded: without case, accents, vowel points and joiners, compatible forms alike ("ﬁ" is "fi", "ß" is
 * "ss"). Exactly, only canonically equal characters are alike. What counts is the cluster, a letter with its marks: a hit
 * begins and ends with one, so it may be a little longer than the query. A hit lies inside one segment, never across two.
 */

import { isUnspaced } from "../edits/tokens.js";

// What belongs to the character before it: marks, joiners, skin tones, the later letters of a Hangul syllable.
const CONTINUES = "[\\p{M}\\p{DI}\\u{1f3fb}-\\u{1f3ff}\\u1160-\\u11ff\\ud7b0-\\ud7fb]";
const EMOJI = `\\p{ExtPict}(?:${CONTINUES}*\\u200d\\p{ExtPict})*${CONTINUES}*`;
const CLUSTER = new RegExp(`\\p{RI}{2}|${EMOJI}|\\P{M}${CONTINUES}*|${CONTINUES}+`, "gu");
const PLAIN = /^[\0-\x7f]*$/;
const SPACE = /\s/gu;
const INVISIBLE = /\p{DI}/gu;
// Marks that people leave out. Others are letters of their scripts: vowels of India, the sign that makes か a が.
const ACCENT = /(?![\u3099\u309a])(?=\p{M})[\p{sc=Zinh}\p{sc=Latn}\p{sc=Grek}\p{sc=Cyrl}\p{sc=Hebr}\p{sc=Arab}\p{sc=Syrc}]|[\u0640\u{1f3fb}-\u{1f3ff}]/gu;
// What Unicode takes for letters and signs of their own, and keyboards do not have.
const ALIKE = {
  ...{ đ: "d", ħ: "h", ł: "l", ø: "o", ŧ: "t", æ: "ae", œ: "oe" },
  ...{ "‘": "'", "’": "'", ʼ: "'", "“": '"', "”": '"', "‐": "-", "‒": "-", "–": "-", "—": "-", "−": "-" },
};
const ALIKE_ONES = new RegExp(`[${Object.keys(ALIKE).join("")}]`, "gu");
const GOES_ON = /^[\u3099\u309a\u1160-\u11ff\ud7b0-\ud7fb]/; // with these behind it, a letter is another one
const WORD = /^[\p{L}\p{M}\p{N}_]$/u;

/** A query made ready. `isExact`: case and accents count. `isWhole`: words only, not parts of them. */
export class Query {
  constructor(written, { isExact = false, isWhole = false } = {}) {
    Object.assign(this, { isExact, isWhole });
    this.needle = folded(written, isExact).text;
  }

  get isEmpty() {
    return this.needle === "";
  }

  /** Return `[{ from, to }]` in order, none overlapping; `haystack` is what `folded` made of the text. */
  hitsIn(text, haystack = folded(text, this.isExact)) {
    const hits = [];
    if (this.isEmpty) return hits;
    for (let at = haystack.text.indexOf(this.needle); at >= 0; ) {
      const hit = this.hitAt(haystack, at);
      const isHit = hit && (!this.isWhole || isWhole(text, hit));
      if (isHit) hits.push({ from: hit.from, to: hit.to });
      at = haystack.text.indexOf(this.needle, isHit ? hit.next : at + 1);
    }
    return hits;
  }

  hitAt({ text, clusters }, at) {
    const end = at + this.needle.length;
    if (!clusters) return { from: at, to: end, next: end };
    const { starts, ends } = clusters;
    if (at > 0 && starts[at - 1] === starts[at]) return null;
    let next = end;
    while (next < text.length && starts[next] === starts[end - 1]) next += 1;
    if (next > end && (this.isExact || isCut(text, end))) return null;
    return { from: starts[at], to: ends[end - 1], next };
  }
}

/** Return `{ text, clusters }`: the text to compare, and for each unit of it where its cluster starts and ends in the
 * text as it was written: `{ starts, ends }`, or null where the offsets are the same. */
export function folded(text, isExact) {
  if (PLAIN.test(text)) return { text: plain(text, isExact), clusters: null };
  const parts = [];
  const [starts, ends] = [[], []];
  for (const { 0: cluster, index } of text.matchAll(CLUSTER)) {
    const part = foldedCluster(cluster, isExact);
    parts.push(part);
    for (let unit = 0; unit < part.length; unit += 1) {
      starts.push(index);
      ends.push(index + cluster.length);
    }
  }
  return { text: parts.join(""), clusters: { starts: Uint32Array.from(starts), ends: Uint32Array.from(ends) } };
}

function plain(text, isExact) {
  return (isExact ? text : text.toLowerCase()).replace(SPACE, " ");
}

function foldedCluster(cluster, isExact) {
  if (PLAIN.test(cluster)) return plain(cluster, isExact);
  if (isExact) return cluster.normalize("NFC").replace(INVISIBLE, "").replace(SPACE, " ");
  const bare = cluster.normalize("NFKD").replace(INVISIBLE, "").replace(ACCENT, "").replace(SPACE, " ");
  const low = bare.toLowerCase().toUpperCase().toLowerCase(); // so that "ẞ" comes to "ss", and both small sigmas to one
  return low.replace(ALIKE_ONES, (character) => ALIKE[character]);
}

/** Whether cutting here would make other characters: half an emoji, 가 out of 각, か out of が. */
function isCut(text, at) {
  const rest = text.slice(at, at + 1);
  return GOES_ON.test(rest) || (/[\udc00-\udfff]/.test(rest) && /[\ud800-\udbff]/.test(text[at - 1]));
}

function isWhole(text, { from, to }) {
  return isEdge(text, from) && isEdge(text, to);
}

/** No letter goes on over this edge; in scripts without spaces every character is a word. */
function isEdge(text, at) {
  const [left, right] = [pointBefore(text, at), at < text.length ? String.fromCodePoint(text.codePointAt(at)) : ""];
  return !WORD.test(left) || !WORD.test(right) || isUnspaced(left) || isUnspaced(right);
}

function pointBefore(text, at) {
  const isPair = /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(Math.max(0, at - 2), at));
  return text.slice(Math.max(0, at - (isPair ? 2 : 1)), at);
}
