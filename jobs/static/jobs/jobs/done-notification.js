/** "Tell me when this is done": a notification of the browser's, once however many tabs show the session. */

import { setHidden, setText } from "../../bulktranscribe/keyed-list.js";
import { endedSince, lastEnd, outcomeOf, titleOf } from "./notifications.js";

class DoneNotification extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector("button");
    this.wish = `tell:${this.dataset.person}:${this.dataset.session}`;
    this.told = `told:${this.dataset.person}:${this.dataset.session}`;
    this.ownTitle = document.title;
    this.canTell = window.isSecureContext && "Notification" in window && "locks" in navigator;
    this.button.addEventListener("click", () => this.toggle());
    addEventListener("storage", ({ key }) => key === this.wish && this.showWish());
    this.showWish();
  }

  /** Take the session's state as the page has it now. */
  show(state, words) {
    const percent = state.totals.activePercent;
    document.title = titleOf(percent, this.ownTitle, words);
    setHidden(this, !this.canTell || percent === null);
    const ended = this.last === undefined ? [] : endedSince(this.last, state);
    this.last = lastEnd(state);
    if (this.isWished && Notification.permission === "granted") {
      for (const job of ended) this.tell(job, outcomeOf(job, words), state.session.name);
    }
  }

  get isWished() {
    return this.canTell && localStorage.getItem(this.wish) === "on";
  }

  /** Permission is asked for here and nowhere else: never unasked. */
  async toggle() {
    const wants = !this.isWished || Notification.permission !== "granted";
    if (wants && (await Notification.requestPermission()) === "granted") localStorage.setItem(this.wish, "on");
    else localStorage.removeItem(this.wish);
    this.showWish(wants);
  }

  showWish(isAsking = false) {
    if (!this.canTell) return;
    const isOn = this.isWished && Notification.permission === "granted";
    this.button.setAttribute("aria-pressed", String(isOn));
    setText(this.querySelector("[role=status]"), isOn ? this.dataset.on : isAsking ? this.dataset.blocked : "");
  }

  /** Each tab comes here; the first that holds the lock tells. */
  tell(job, text, title) {
    return navigator.locks.request(this.told, () => {
      const told = JSON.parse(localStorage.getItem(this.told) ?? "{}");
      if (told[job.id] === job.endedAt) return;
      localStorage.setItem(this.told, JSON.stringify({ ...told, [job.id]: job.endedAt }));
      this.notify(title, { body: text, tag: job.id });
    });
  }

  notify(title, options) {
    try {
      const notification = new Notification(title, options);
      notification.addEventListener("click", () => {
        window.focus();
        notification.close();
      });
    } catch {
      // Android shows those of service workers only; the title tells.
    }
  }
}

customElements.define("done-notification", DoneNotification);
