/** What a waveform shows, column by column: how high, and whose. Pure. */

/** Return the height of each of `count` columns, 0 to 1: the loudest of its levels (0 … 255), against the loudest of all. */
export function heightsOf(levels, count) {
  const loudest = levels.reduce((most, level) => Math.max(most, level), 1);
  const heights = new Float32Array(count);
  for (let column = 0; column < count; column += 1) {
    const first = Math.floor((column * levels.length) / count);
    const end = Math.max(first + 1, Math.floor(((column + 1) * levels.length) / count));
    for (let at = first; at < end; at += 1) heights[column] = Math.max(heights[column], levels[at] / loudest);
  }
  return heights;
}

/** Return the colour of who speaks in each of `count` columns, 0 for nobody. `segments` are `{ start, end, speaker }`,
 * `colourOf` gives a speaker's; a later segment covers an earlier one. */
export function coloursOf(segments, colourOf, seconds, count) {
  const colours = new Uint8Array(count);
  if (!(seconds > 0)) return colours;
  for (const { start, end, speaker } of segments) {
    const first = Math.floor((start / seconds) * count);
    const behind = Math.max(first + 1, Math.ceil((end / seconds) * count));
    colours.fill(colourOf(speaker), Math.max(0, first), Math.min(count, behind));
  }
  return colours;
}
