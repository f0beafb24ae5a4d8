/** What became of the files of a drop: a table, filled as the server looks at each. */

import { getJson } from "../../bulktranscribe/http.js";
import { clock } from "../../bulktranscribe/words.js";
import { setHidden, setText, showKeyed } from "../../bulktranscribe/keyed-list.js";
import { captionOf, factsOf, inOrder, kindOf, verdictOf } from "./verdicts.js";

const ASKED_EVERY_MS = 2_000;
const AT_A_TIME = 100; // ids in an address

class VerdictTable extends HTMLElement {
  start(words, queue) {
    this.words = words;
    this.queue = queue;
    this.transfers = [];
    this.body = this.querySelector("tbody");
    this.addEventListener("click", (event) => this.act(event));
  }

  show(transfers) {
    this.transfers = transfers;
    this.hidden = !transfers.length;
    const items = inOrder(transfers).map((transfer) => ({ id: transfer.key, transfer }));
    showKeyed(this.body, items, this.querySelector("template"), (row, { transfer }) => this.showRow(row, transfer));
    const caption = transfers.length ? captionOf(transfers, this.words) : "";
    const isWaiting = this.waiting().length > 0;
    setText(this.querySelector("[data-field=caption]"), caption);
    setText(this.querySelector("[data-field=said]"), isWaiting ? "" : caption); // told once, when all is known
    if (isWaiting) this.timer ??= setTimeout(() => this.ask(), ASKED_EVERY_MS);
  }

  showRow(row, transfer) {
    const field = (part) => row.querySelector(`[data-field="${part}"], [data-do="${part}"]`);
    const kind = kindOf(transfer);
    if (row.dataset.kind !== kind) {
      row.dataset.kind = kind;
      const { name, folder } = transfer;
      const { seconds, made } = factsOf(transfer, this.words);
      const length = seconds === null ? "" : clock(seconds);
      const texts = { name, folder: folder && `${folder}/`, length, made, verdict: verdictOf(transfer, this.words) };
      for (const [part, text] of Object.entries(texts)) setText(field(part), text);
      for (const button of row.querySelectorAll("button")) button.title = `${button.textContent.trim()}: ${name}`;
    }
    setHidden(field("keep"), kind !== "duplicate");
    setHidden(field("again"), kind !== "refused" || !transfer.file);
  }

  act(event) {
    const key = event.target.closest("[data-do=keep]")?.closest("[data-id]").dataset.id;
    const detail = this.transfers.find((transfer) => transfer.key === key);
    if (detail) this.dispatchEvent(new CustomEvent("keep", { detail }));
  }

  waiting() {
    return this.transfers.filter((transfer) => kindOf(transfer) === "looking");
  }

  /** Ask what the server has found out about those that it has not looked at. */
  async ask() {
    const some = this.waiting().slice(0, AT_A_TIME);
    const found = await this.sounds(some.map(({ upload }) => upload.id));
    this.timer = undefined;
    const known = some.filter(({ upload }) => found[upload.id]);
    for (const transfer of known) transfer.sound = found[transfer.upload.id];
    if (known.length) this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
    this.queue.told.onChange();
  }

  async sounds(ids) {
    try {
      return (await getJson(`${this.dataset.url}?ids=${ids.join(",")}`)).body.sounds;
    } catch {
      return {}; // asked again
    }
  }
}

customElements.define("verdict-table", VerdictTable);
