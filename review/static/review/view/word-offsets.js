/** Which part of a segment's text each of its words is. Pure; offsets in UTF-16 units, as ranges of the DOM count. */

const [TEXT, START, END, PROBABILITY, ESTIMATED] = [0, 1, 2, 3, 4];

/** Return `[{ from, to, start, end, probability, isEstimated }]`; words that the text does not have are left out. */
export function offsetsOf({ text, words }) {
  const places = [];
  let at = 0;
  for (const word of words) {
    const from = text.indexOf(word[TEXT], at);
    if (from < 0 || !word[TEXT]) continue;
    at = from + word[TEXT].length;
    places.push({
      from,
      to: at,
      start: word[START],
      end: word[END],
      probability: word[PROBABILITY],
      isEstimated: Boolean(word[ESTIMATED]),
    });
  }
  return places;
}

/** Return the word at an offset: the one around it, else the one before it, else the first. */
export function wordAt(places, offset) {
  return places.findLast((place) => place.from <= offset) ?? places[0] ?? null;
}

/** Return the word that is spoken at `seconds`, or null; a word lingers over the short gap behind it. */
export function wordSpokenAt(places, seconds, linger = 0.6) {
  const place = places.findLast(({ start }) => start <= seconds);
  return place && seconds < place.end + linger ? place : null;
}
