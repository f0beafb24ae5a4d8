/** The rows of the text lie in blocks of about a hundred, and the browser leaves out the blocks that nobody sees.
 *
 * With a row at a time to leave out it would look at each of twelve thousand before every frame. A block begins with a
 * turn: in the merged view no paragraph ends for it.
 */

const ROWS = 100;
const AT_MOST = 2 * ROWS; // where one speaks all the time

export class VirtualBlocks {
  /** `turned(rows, isNear)` hears of the rows that come near the window or leave it. */
  constructor(root, turned) {
    this.root = root;
    this.near = new WeakSet();
    this.watcher = new IntersectionObserver((entries) => entries.forEach((entry) => this.turn(entry, turned)), { rootMargin: "100%" });
    for (const block of root.children) this.watcher.observe(block); // as the server drew them
  }

  turn({ target, isIntersecting }, turned) {
    if (this.near.has(target) === isIntersecting) return;
    if (isIntersecting) this.near.add(target);
    else this.near.delete(target);
    turned([...target.children], isIntersecting);
  }

  /** Whether a row is in the window or not far from it. */
  isNear(row) {
    return this.near.has(row.parentNode);
  }

  append(row) {
    const last = this.root.lastElementChild;
    const length = last?.childElementCount ?? AT_MOST;
    const isFull = length >= AT_MOST || (length >= ROWS && row.classList.contains("is-turn"));
    (isFull ? this.begin() : last).append(row);
  }

  /** Put a row behind another one, null: before all. Rows that lie so already stay, and keep the caret. */
  putBehind(former, row) {
    const first = this.root.firstElementChild ?? this.begin();
    const present = former ? behind(former) : first.firstElementChild;
    if (present === row) return;
    const old = row.parentNode;
    if (former) former.after(row);
    else first.prepend(row);
    this.forget(old);
  }

  remove(row) {
    const block = row.parentNode;
    row.remove();
    this.forget(block);
  }

  begin() {
    const block = document.createElement("ol");
    block.className = "virtual-block";
    this.root.append(block);
    this.watcher.observe(block);
    return block;
  }

  forget(block) {
    if (!block || block.childElementCount) return;
    this.watcher.unobserve(block);
    block.remove();
  }
}

function behind(row) {
  return row.nextElementSibling ?? row.parentNode.nextElementSibling?.firstElementChild ?? null;
}
