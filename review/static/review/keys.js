/** Which key does what. Pure; matched on physical codes, so that every keyboard layout has them. */

export const EVERYWHERE = "everywhere"; // also while writing in a field
export const READING = "reading"; // not in fields, nor on buttons and links that take the key themselves

export const KEYS = [
  { code: "Space", ctrl: true, where: EVERYWHERE, command: "toggle" },
  { code: "Escape", where: EVERYWHERE, command: "toggle" },
  { code: "Space", where: READING, command: "toggle" },
  { code: "ArrowLeft", alt: true, where: EVERYWHERE, command: "skip", seconds: -2 },
  { code: "ArrowRight", alt: true, where: EVERYWHERE, command: "skip", seconds: 2 },
  { code: "ArrowLeft", alt: true, shift: true, where: EVERYWHERE, command: "skip", seconds: -10 },
  { code: "ArrowRight", alt: true, shift: true, where: EVERYWHERE, command: "skip", seconds: 10 },
];

/** Return the entry for a key press, or undefined. `isReading`: focus is on nothing that uses keys. */
export function keyFor({ code, ctrlKey, altKey, shiftKey, metaKey }, isReading) {
  if (metaKey) return undefined;
  const is = (wanted, pressed) => Boolean(wanted) === Boolean(pressed);
  return KEYS.find(
    (key) =>
      key.code === code &&
      is(key.ctrl, ctrlKey) &&
      is(key.alt, altKey) &&
      is(key.shift, shiftKey) &&
      (key.where === EVERYWHERE || isReading),
  );
}
