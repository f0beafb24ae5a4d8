/** What was deleted from the session and can be brought back. */

import { postJson } from "../../bulktranscribe/http.js";
import { fieldsOf, setText, showKeyed } from "../../bulktranscribe/keyed-list.js";

class DeletedList extends HTMLElement {
  start(words) {
    this.words = words;
    this.panel = this.querySelector("details");
    this.list = this.querySelector("[data-list=deleted]");
    this.template = this.querySelector("template");
    this.said = this.querySelector("[data-field=refusal]");
    this.querySelector("form").addEventListener("submit", (event) => this.act(event));
  }

  show(deleted) {
    this.panel.hidden = !deleted.length;
    setText(this.querySelector("[data-field=n]"), deleted.length);
    showKeyed(this.list, deleted, this.template, (row, one) => this.showRow(row, one));
  }

  showRow(row, one) {
    const field = fieldsOf(row);
    setText(field("name"), one.text);
    field("until").dateTime = one.until;
    const style = { dateStyle: "medium", timeStyle: "short" };
    setText(field("until"), new Intl.DateTimeFormat(document.documentElement.lang, style).format(new Date(one.until)));
    const button = row.querySelector("button");
    button.setAttribute("aria-label", `${button.textContent.trim()}: ${one.text}`);
    const kind = one.kind === "job" ? "jobs" : "uploads";
    button.setAttribute("formaction", `/${kind}/${one.id}/restore`);
    button.dataset.api = `/api/${kind}/${one.id}/restore`;
  }

  async act(event) {
    event.preventDefault();
    const button = event.submitter;
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      await postJson(button.dataset.api);
      setText(this.said, "");
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      if (problem.status !== 404) setText(this.said, problem.message || this.words.say("not-done"));
    } finally {
      button.removeAttribute("aria-busy");
    }
    this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  }
}

customElements.define("deleted-list", DeletedList);
