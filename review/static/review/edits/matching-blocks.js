/** Which tokens of two texts are the same: Ratcliff and Obershelp's longest matching blocks. Pure.
 *
 * The server does this with Python's difflib.SequenceMatcher(autojunk=False); ties are broken as it does:
 * of the longest blocks the one that ends first in `old`, and of these the one that ends first in `fresh`.
 */

const MAX_PAIRS = 65_536; // equal pairs beyond which a changed stretch counts as all new: it would take seconds

/** Return blocks `{ old, fresh, size }`, ascending; `size` tokens from these two indexes on are equal. */
export function matchingBlocks(old, fresh) {
  const shortest = Math.min(old.length, fresh.length);
  let head = 0;
  while (head < shortest && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (tail < shortest - head && old[old.length - 1 - tail] === fresh[fresh.length - 1 - tail]) tail += 1;
  const middle = { oldFrom: head, oldTo: old.length - tail, freshFrom: head, freshTo: fresh.length - tail };
  const blocks = [
    { old: 0, fresh: 0, size: head },
    ...(pairCount(old, fresh, middle) > MAX_PAIRS ? [] : blocksWithin(old, fresh, middle)),
    { old: old.length - tail, fresh: fresh.length - tail, size: tail },
  ];
  return joined(blocks.filter((block) => block.size));
}

function blocksWithin(old, fresh, range) {
  const places = placesOf(fresh, range);
  const waiting = [range];
  const blocks = [];
  while (waiting.length) {
    const { oldFrom, oldTo, freshFrom, freshTo } = waiting.pop();
    const block = longestBlock(old, places, { oldFrom, oldTo, freshFrom, freshTo });
    if (!block.size) continue;
    blocks.push(block);
    waiting.push({ oldFrom, oldTo: block.old, freshFrom, freshTo: block.fresh });
    waiting.push({ oldFrom: block.old + block.size, oldTo, freshFrom: block.fresh + block.size, freshTo });
  }
  return blocks.sort((one, other) => one.old - other.old);
}

function pairCount(old, fresh, range) {
  const places = placesOf(fresh, range);
  let count = 0;
  for (let i = range.oldFrom; i < range.oldTo; i += 1) count += places.get(old[i])?.length ?? 0;
  return count;
}

function placesOf(tokens, { freshFrom, freshTo }) {
  const places = new Map();
  for (let index = freshFrom; index < freshTo; index += 1) {
    const known = places.get(tokens[index]);
    if (known) known.push(index);
    else places.set(tokens[index], [index]);
  }
  return places;
}

function longestBlock(old, places, { oldFrom, oldTo, freshFrom, freshTo }) {
  let best = { old: oldFrom, fresh: freshFrom, size: 0 };
  let lengths = new Map(); // of the blocks that end at the last token of `old`, by their end in `fresh`
  for (let i = oldFrom; i < oldTo; i += 1) {
    const next = new Map();
    for (const j of places.get(old[i]) ?? []) {
      if (j < freshFrom) continue;
      if (j >= freshTo) break;
      const size = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, size);
      if (size > best.size) best = { old: i - size + 1, fresh: j - size + 1, size };
    }
    lengths = next;
  }
  return best;
}

/** Neighbouring blocks are one. */
function joined(blocks) {
  const result = [];
  for (const block of blocks) {
    const last = result.at(-1);
    if (last && last.old + last.size === block.old && last.fresh + last.size === block.fresh) last.size += block.size;
    else result.push({ ...block });
  }
  return result;
}
