/** Whether anything is still under way, and how long to wait before asking for the state again. Pure. */

const ACTIVE = ["queued", "dispatching", "running"];
const ACTIVE_MS = 2_000;
const IDLE_MS = 10_000;

export function isActive({ totals }) {
  return totals.running + totals.waiting > 0;
}

export function isActiveInput(input) {
  return ACTIVE.includes(input.status);
}

/** Return how many milliseconds to wait before asking again. */
export function nextPause({ active, hidden, failures }) {
  if (failures) return Math.min(IDLE_MS, ACTIVE_MS * 2 ** (failures - 1));
  return active && !hidden ? ACTIVE_MS : IDLE_MS;
}
