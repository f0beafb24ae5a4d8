/** Where the caret is in an editable text, counted in code points as edits count. The text is one text node, or none. */

/** Return `{ from, to }` of the selection inside `element`, or null where it is elsewhere. */
export function caretIn(element) {
  const selection = getSelection();
  if (!selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  if (!element.contains(range.startContainer) || !element.contains(range.endContainer)) return null;
  return { from: pointsBefore(element, range.startContainer, range.startOffset), to: pointsBefore(element, range.endContainer, range.endOffset) };
}

/** Put the caret at a place of the text; one beyond its end is its end. */
export function placeCaret(element, at) {
  const node = element.firstChild;
  const selection = getSelection();
  if (!node) return selection.collapse(element, 0);
  return selection.collapse(node, unitsOf(node.data, at));
}

/** Return the number of UTF-16 units that the first `points` code points of a text take. */
export function unitsOf(text, points) {
  let units = 0;
  for (let left = points; left > 0 && units < text.length; left -= 1) units += text.codePointAt(units) > 0xffff ? 2 : 1;
  return units;
}

/** Return the number of code points in the first `units` UTF-16 units of a text. */
export function pointsOf(text, units) {
  let points = 0;
  for (let at = 0; at < Math.min(units, text.length); at += text.codePointAt(at) > 0xffff ? 2 : 1) points += 1;
  return points;
}

function pointsBefore(element, container, offset) {
  const before = document.createRange();
  before.selectNodeContents(element);
  before.setEnd(container, offset);
  const text = before.toString();
  return pointsOf(text, text.length);
}

/** The offset in UTF-16 units of the place that was clicked, or null. */
export function unitsAtPoint(element, x, y) {
  const place = document.caretPositionFromPoint?.(x, y) ?? fromWebKit(x, y);
  return place && element.contains(place.offsetNode) && place.offsetNode.nodeType === Node.TEXT_NODE ? place.offset : null;
}

function fromWebKit(x, y) {
  const range = document.caretRangeFromPoint?.(x, y);
  return range && { offsetNode: range.startContainer, offset: range.startOffset };
}
