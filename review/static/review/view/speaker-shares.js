/** Who speaks how much. Pure. */

/** The share of the spoken time that each speaker has, 0 to 1. */
export function sharesOf(segments) {
  const seconds = new Map();
  let all = 0;
  for (const { speaker, start, end } of segments) {
    seconds.set(speaker, (seconds.get(speaker) ?? 0) + (end - start));
    all += end - start;
  }
  return new Map([...seconds].map(([speaker, spoken]) => [speaker, all ? spoken / all : 0]));
}
