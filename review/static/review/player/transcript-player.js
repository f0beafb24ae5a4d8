/** The bar at the foot: the browser's <audio>, with controls that fit long work. It says "moved" as time passes. */

import { clock } from "../../bulktranscribe/words.js";

const TYPING_MS = 1_000;
const TELLING_MS = 8_000;

class TranscriptPlayer extends HTMLElement {
  start() {
    this.audio = this.querySelector("audio");
    this.seek = this.querySelector(".seek");
    this.speed = this.querySelector("[name=speed]");
    this.follow = this.querySelector("[name=follow]");
    this.volume = this.querySelector("[name=volume]");
    this.pausesForTyping = this.querySelector("[name=typing]");
    this.part("bar").hidden = false;
    this.audio.controls = false;
    this.recall();
    this.listen();
    this.showLength();
    if (this.audio.error) this.fail();
  }

  listen() {
    this.act("toggle").addEventListener("click", () => this.toggle());
    this.seek.addEventListener("input", () => this.goTo(Number(this.seek.value)));
    this.speed.addEventListener("change", () => this.keep());
    for (const habit of [this.follow, this.volume, this.pausesForTyping]) habit.addEventListener("change", () => this.keep());
    this.volume.addEventListener("input", () => (this.audio.volume = Number(this.volume.value)));
    for (const happening of ["play", "pause", "ended"]) this.audio.addEventListener(happening, () => this.showPlaying());
    for (const happening of ["timeupdate", "seeked"]) this.audio.addEventListener(happening, () => this.show());
    for (const happening of ["durationchange", "loadedmetadata"]) {
      this.audio.addEventListener(happening, () => this.showLength());
    }
    this.audio.addEventListener("error", () => this.fail());
  }

  /** Speed, volume and the rest are a person's habit: kept in this browser, for every recording. */
  recall() {
    const speed = localStorage.getItem("player.speed");
    if ([...this.speed.options].some((option) => option.value === speed)) this.speed.value = speed;
    this.follow.checked = localStorage.getItem("player.follow") !== "no";
    this.pausesForTyping.checked = localStorage.getItem("player.typing") !== "no";
    this.volume.value = localStorage.getItem("player.volume") ?? "1";
    this.audio.volume = Number(this.volume.value);
    this.audio.defaultPlaybackRate = this.audio.playbackRate = Number(this.speed.value);
  }

  keep() {
    this.audio.defaultPlaybackRate = this.audio.playbackRate = Number(this.speed.value);
    localStorage.setItem("player.speed", this.speed.value);
    localStorage.setItem("player.follow", this.follow.checked ? "yes" : "no");
    localStorage.setItem("player.typing", this.pausesForTyping.checked ? "yes" : "no");
    localStorage.setItem("player.volume", this.volume.value);
  }

  /** One step on the list of speeds. */
  changeSpeed(step) {
    const next = this.speed.options[this.speed.selectedIndex + step];
    if (!next) return;
    this.speed.value = next.value;
    this.keep();
  }

  /** Somebody types: be quiet, and go on a second back once they have stopped. */
  pauseForTyping() {
    if (!this.pausesForTyping.checked || (!this.isPlaying && !this.resuming)) return;
    if (this.isPlaying) this.audio.pause();
    clearTimeout(this.resuming);
    this.resuming = setTimeout(() => {
      this.resuming = null;
      this.skip(-1);
      this.play();
    }, TYPING_MS);
  }

  /** Say what went wrong, where the eye is. */
  tell(sentence) {
    this.part("trouble").textContent = sentence;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => (this.part("trouble").textContent = ""), TELLING_MS);
  }

  get time() {
    return this.audio.currentTime;
  }

  /** A recording made in a browser may not say how long it is; the transcript does. */
  get length() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : Number(this.dataset.duration);
  }

  get isPlaying() {
    return !this.audio.paused && !this.audio.ended;
  }

  toggle() {
    clearTimeout(this.resuming);
    const isResuming = Boolean(this.resuming);
    this.resuming = null;
    if (this.isPlaying) this.audio.pause();
    else if (!isResuming) this.play(); // a pause for typing that is meant to stay
  }

  pause() {
    this.audio.pause();
  }

  playFrom(seconds) {
    this.goTo(seconds);
    this.play();
  }

  skip(seconds) {
    this.goTo(this.time + seconds);
  }

  goTo(seconds) {
    this.audio.currentTime = Math.min(Math.max(0, seconds), this.length);
    this.show();
  }

  async play() {
    try {
      await this.audio.play();
    } catch (reason) {
      if (!["AbortError", "NotSupportedError"].includes(reason.name)) this.part("trouble").textContent = reason.message;
    }
  }

  showPlaying() {
    this.part("play").hidden = this.isPlaying;
    this.part("pause").hidden = !this.isPlaying;
    if (this.isPlaying) requestAnimationFrame(() => this.tick());
    this.show();
  }

  /** Words are shorter than the quarter second between two timeupdates: look once a frame while it plays. */
  tick() {
    this.show();
    if (this.isPlaying) requestAnimationFrame(() => this.tick());
  }

  show() {
    const at = clock(this.time);
    this.seek.value = this.time;
    if (this.part("at").textContent !== at) {
      this.part("at").textContent = at;
      this.seek.setAttribute("aria-valuetext", `${at} / ${clock(this.length)}`);
    }
    this.dispatchEvent(new CustomEvent("moved", { bubbles: true }));
  }

  showLength() {
    this.seek.max = this.length;
    this.part("length").textContent = clock(this.length);
    this.show();
  }

  fail() {
    this.part("unplayable").hidden = false;
    this.part("bar").hidden = true;
  }

  act(name) {
    return this.querySelector(`[data-do="${name}"]`);
  }

  part(name) {
    return this.querySelector(`[data-field="${name}"]`);
  }
}

customElements.define("transcript-player", TranscriptPlayer);
