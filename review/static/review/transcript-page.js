/** The transcript page: text and player hear of each other here, and the keyboard of both. */

import { keyFor } from "./keys.js";
import "./transcript-player.js";
import "./transcript-text.js";

const TAKES_KEYS = "button, a, summary, select, textarea, input, [contenteditable]";

class TranscriptPage extends HTMLElement {
  connectedCallback() {
    this.player = this.querySelector("transcript-player");
    this.text = this.querySelector("transcript-text"); // missing where nobody spoke
    this.back = this.player.querySelector("[data-do=back]");
    this.text?.start();
    this.addEventListener("moved", () => this.show());
    this.addEventListener("chosen", (event) => this.playFrom(event.detail));
    this.player.start();
    document.addEventListener("keydown", (event) => this.press(event));
    for (const happening of ["wheel", "touchmove"]) addEventListener(happening, () => this.yieldTo(), { passive: true });
    this.back.addEventListener("click", () => this.comeBack());
    this.player.follow.addEventListener("change", () => this.comeBack());
  }

  playFrom(seconds) {
    this.back.hidden = true;
    this.player.playFrom(seconds);
  }

  show() {
    const entered = this.text?.show(this.player.time);
    if (entered && this.player.isPlaying && this.player.follow.checked && this.back.hidden) this.bringIntoView(entered);
  }

  /** Somebody scrolls while it plays: leave the page to them and offer a way back. */
  yieldTo() {
    if (this.player.isPlaying && this.player.follow.checked && this.text?.current) this.back.hidden = false;
  }

  comeBack() {
    this.back.hidden = true;
    if (this.player.follow.checked && this.text?.current) this.bringIntoView(this.text.current);
  }

  bringIntoView(segment) {
    const { top, bottom } = segment.getBoundingClientRect();
    if (top >= 0 && bottom <= this.player.getBoundingClientRect().top) return;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    segment.scrollIntoView({ block: "center", behavior: isCalm ? "instant" : "smooth" });
  }

  press(event) {
    const key = keyFor(event, !event.target.closest?.(TAKES_KEYS));
    if (!key) return this.pressSlider(event);
    event.preventDefault();
    if (key.command === "toggle" && !event.repeat) this.player.toggle();
    if (key.command === "skip") this.player.skip(key.seconds);
  }

  /** The slider's own arrow keys would move a tenth of a second. */
  pressSlider(event) {
    const step = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2 }[event.key];
    if (event.target !== this.player.seek || !step) return;
    event.preventDefault();
    this.player.skip(event.shiftKey ? step * 5 : step);
  }
}

customElements.define("transcript-page", TranscriptPage);
