/** The waveform over the player's bar, coloured by speaker; a click or a drag in it seeks. It is for the eye and the
 * pointer: keys and screen readers have the slider beside it. Where there is none to show it stays hidden.
 */

import { coloursOf, heightsOf } from "./wave-columns.js";

const LEVELS_PAUSE_MS = 3_000; // the controller has not looked at the recording yet
const LEVELS_TRIES = 60;
const COLOURS_MS = 250; // speakers change in bursts
const LOWEST = 2; // pixels: silence is a line, through the middle however high the rest is
const CURSOR = 2;

class WaveForm extends HTMLElement {
  /** Draw the recording that `audio` plays; `seconds` is its length by the transcript. */
  async start(store, audio, seconds) {
    Object.assign(this, { store, seconds });
    const levels = await this.fetchLevels();
    const library = levels && (await import("../../npm/wavesurfer/wavesurfer.esm.js").catch(() => null));
    if (!library) return;
    this.levels = levels;
    this.hidden = false;
    this.wave = library.default.create({
      container: this.querySelector("[data-field=wave]"),
      media: audio,
      peaks: [Float32Array.from(levels, (level) => level / 255)],
      duration: seconds,
      height: "auto",
      cursorWidth: CURSOR,
      cursorColor: this.colours().text,
      progressColor: "transparent", // the cursor says how far it is; colours say who speaks
      dragToSeek: true,
      hideScrollbar: true,
      cspNonce: this.dataset.nonce,
      renderFunction: (_peaks, context) => this.draw(context),
    });
    new MutationObserver(() => this.repaint()).observe(document.documentElement, { attributes: true }); // the theme
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
  }

  async fetchLevels() {
    for (let tries = 0; tries < LEVELS_TRIES; tries += 1) {
      const answer = await fetch(this.dataset.url).catch(() => null);
      if (answer?.status === 200 && !answer.redirected) return new Uint8Array(await answer.arrayBuffer()); // not the sign-in page
      if (answer?.status !== 202) return null;
      await new Promise((then) => setTimeout(then, LEVELS_PAUSE_MS));
    }
    return null;
  }

  /** Speakers or segments have changed: look soon whether that is to be seen. */
  plan() {
    if (!this.wave) return;
    this.alarm ??= setTimeout(() => {
      this.alarm = null;
      const drawn = this.drawn?.join();
      if (this.coloursIn(this.drawn?.length ?? 0).join() !== drawn) this.repaint();
    }, COLOURS_MS);
  }

  repaint() {
    this.wave.setOptions({ cursorColor: this.colours().text });
  }

  draw(context) {
    const { width, height } = context.canvas;
    const heights = heightsOf(this.levels, width);
    this.drawn = this.coloursIn(width);
    const { speakers } = this.colours();
    for (let column = 0; column < width; column += 1) {
      const high = Math.max(LOWEST, Math.round(heights[column] * height));
      context.fillStyle = speakers[this.drawn[column]];
      context.fillRect(column, Math.floor((height - high) / 2), 1, high);
    }
  }

  coloursIn(count) {
    const { segments, speakers } = this.store.state;
    return coloursOf(segments, (key) => speakers.get(key)?.colour ?? 0, this.seconds, count);
  }

  /** The theme's colours as the browser resolves them: of the text, and of speakers by number, 0 for nobody. */
  colours() {
    const swatches = [...this.querySelectorAll("[data-swatch]")].map((swatch) => getComputedStyle(swatch).color);
    return { text: getComputedStyle(this).color, speakers: swatches };
  }
}

customElements.define("wave-form", WaveForm);
