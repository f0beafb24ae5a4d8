/** The right zone: what there is to know about the text, in sections that fold. On a narrow window it is a sheet.
 *
 * Each section is an element with `start(page)` and `show()`; it is shown only while somebody can see it, and soon
 * after a change rather than at once: looking through thousands of segments is too much for every letter typed.
 */

import "./details-history.js";
import "./details-machine.js";
import "./details-segment.js";
import "./details-flagged.js";
import "./details-versions.js";

const SOON_MS = 300;
const KEPT_AS = "review.details";
const FIRST_OPEN = "passage doubtful"; // sections under the names that browsers have kept

class DetailsPanel extends HTMLElement {
  start(page) {
    this.page = page;
    this.opener = page.querySelector("[data-command=details]");
    this.heading = this.querySelector("h2");
    this.folds = new Map([...this.querySelectorAll("[data-section]")].map((fold) => [fold.dataset.section, fold]));
    this.isWide = matchMedia("(min-width: 75rem)"); // as details.css has it
    for (const fold of this.folds.values()) fold.lastElementChild.start(page);
    this.recall();
    this.listen();
    new ResizeObserver(() => this.style.setProperty("--foot", `${page.player.offsetHeight}px`)).observe(page.player);
  }

  listen() {
    for (const fold of this.folds.values()) fold.addEventListener("toggle", () => this.turn(fold));
    for (const happening of ["changed", "saving"]) this.page.addEventListener(happening, () => this.plan());
    this.isWide.addEventListener("change", () => this.recall());
    for (const happening of ["online", "offline"]) addEventListener(happening, () => this.plan());
    this.addEventListener("click", ({ target }) => target.closest("[data-do=close]") && this.close());
    this.addEventListener("focusin", ({ target }) => (this.latest = target));
    this.addEventListener("focusout", ({ relatedTarget }) => this.leave(relatedTarget));
    this.addEventListener("keydown", (event) => this.press(event));
    // Scrolling in here is no scrolling away from the text.
    for (const happening of ["wheel", "touchmove"]) this.addEventListener(happening, (event) => event.stopPropagation(), { passive: true });
  }

  // Open and closed ----------------------------------------------------------------------------------

  recall() {
    const open = (localStorage.getItem(`${KEPT_AS}.open`) ?? FIRST_OPEN).split(" ");
    for (const [name, fold] of this.folds) fold.open = open.includes(name);
    this.fold(!this.isWide.matches || localStorage.getItem(KEPT_AS) === "no");
  }

  /** By its key the focus comes in first; pressed in here, the key closes. */
  toggle({ byKey = false } = {}) {
    const isAway = !this.contains(document.activeElement);
    if (this.hidden) this.open({ withFocus: byKey || !this.isWide.matches });
    else if (byKey && isAway) this.enter();
    else this.close();
  }

  open({ withFocus }) {
    this.keep("yes");
    this.fold(false);
    if (withFocus) this.enter();
  }

  close() {
    this.keep("no");
    const hadFocus = this.contains(document.activeElement);
    this.fold(true);
    if (!hadFocus) return;
    const back = this.former?.checkVisibility() ? this.former : this.opener;
    back.focus({ preventScroll: true });
  }

  fold(isFolded) {
    this.hidden = isFolded;
    this.opener.ariaExpanded = String(!isFolded);
    this.showAll();
  }

  /** A sheet lies over the text for as long as somebody works in it; that it was closed is no habit. */
  keep(habit) {
    if (this.isWide.matches) localStorage.setItem(KEPT_AS, habit);
  }

  enter() {
    this.former = document.activeElement;
    const place = this.latest?.checkVisibility() && this.contains(this.latest) ? this.latest : this.heading;
    place.focus();
  }

  /** The focus goes on below the sheet, where nobody could see it. */
  leave(next) {
    const isBelow = next && !this.contains(next) && next !== this.opener && !this.page.player.contains(next);
    if (isBelow && !this.isWide.matches) this.fold(true);
  }

  press(event) {
    if (event.key !== "Escape" || this.isWide.matches) return; // on wide windows it plays, as everywhere
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }

  // What is shown --------------------------------------------------------------------------------------

  turn(fold) {
    const open = [...this.folds].filter(([, each]) => each.open).map(([name]) => name);
    localStorage.setItem(`${KEPT_AS}.open`, open.join(" "));
    if (fold.open) this.showOne(fold.dataset.section);
  }

  plan() {
    if (!this.hidden) this.alarm ??= setTimeout(() => whenIdle(() => this.showAll()), SOON_MS);
  }

  showAll() {
    clearTimeout(this.alarm);
    this.alarm = null;
    const { doubtful } = this.page.store.state.transcript;
    this.folds.get("doubtful").querySelector("[data-part=count]").textContent = doubtful ? this.page.words.number.format(doubtful) : "";
    for (const name of this.folds.keys()) this.showOne(name);
  }

  showOne(name) {
    const fold = this.folds.get(name);
    if (!this.hidden && fold.open) fold.lastElementChild.show();
  }
}

function whenIdle(work) {
  if (globalThis.requestIdleCallback) requestIdleCallback(work, { timeout: SOON_MS });
  else work();
}

customElements.define("details-panel", DetailsPanel);
