/** How large the text of transcripts is: kept in this browser, for every transcript and every tab. */

const KEPT_AS = "review.text-size";
const [LEAST, USUAL, MOST] = [14, 18, 28]; // px where the browser's own size is 16; who made that larger gets more

class TextSize extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.show(this.kept());
    this.addEventListener("click", ({ target }) => this.change(Number(target.closest("button")?.dataset.step ?? 0)));
    addEventListener("storage", ({ key }) => [KEPT_AS, null].includes(key) && this.show(this.kept()));
  }

  kept() {
    const size = Number(localStorage.getItem(KEPT_AS));
    return size >= LEAST && size <= MOST ? size : USUAL;
  }

  change(step) {
    if (!step) return;
    const size = Math.min(MOST, Math.max(LEAST, this.kept() + step));
    localStorage.setItem(KEPT_AS, size);
    this.show(size);
  }

  show(size) {
    document.documentElement.style.setProperty("--transcript-size", `${size / 16}rem`);
    this.querySelector("output").textContent = size;
    const [smaller, larger] = this.querySelectorAll("button");
    smaller.ariaDisabled = String(size === LEAST); // stays focusable: the focus would be lost
    larger.ariaDisabled = String(size === MOST);
  }
}

customElements.define("text-size", TextSize);
