/** `<copy-text>`: a button that copies the field beside it, and says so. Without JavaScript the field is there to select. */

class CopyText extends HTMLElement {
  connectedCallback() {
    const field = this.querySelector("input");
    const button = this.querySelector("button");
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", () => this.copy(field, button));
    field.addEventListener("focus", () => field.select());
    button.hidden = false;
  }

  async copy(field, button) {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.done;
    } catch {
      // not a secure page, or not allowed: it is selected, Ctrl+C copies it
      field.focus();
    }
  }
}

customElements.define("copy-text", CopyText);
