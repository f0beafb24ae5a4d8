/** Drop or choose files and folders; each shows how it is sent, and at the end a table says what became of it. */

import { postJson } from "../../bulktranscribe/http.js";
import { chosenFiles, droppedFiles } from "./dropped-files.js";
import { followOthers, keep, restored } from "./transfer-storage.js";
import { setHidden, setText, showKeyed } from "../../bulktranscribe/keyed-list.js";
import { loadTus } from "./send-file.js";
import { Meter, detailOf, hasEnded, isBroken, isBusy, overall, paceOf } from "./transfers.js";
import { UploadQueue, applyOutcome } from "./upload-queue.js";
import "./verdict-table.js";

const SHOWN_EVERY_MS = 150;
const seconds = () => performance.now() / 1000;

class UploadZone extends HTMLElement {
  async start(words) {
    this.words = words;
    this.form = this.querySelector("form");
    this.inputs = [...this.querySelectorAll("input[type=file]")];
    this.list = this.querySelector("[data-list=transfers]");
    this.table = this.querySelector("verdict-table");
    const tus = await loadTus();
    if (!tus) return; // a plain form, which sends each file in one request
    this.queue = new UploadQueue(tus, this.dataset.url, {
      onChange: () => this.plan(),
      onUploaded: (upload) => this.arrived.push(upload),
      explain: (problem) => this.whyNot(problem),
    });
    this.arrived = [];
    this.meter = new Meter(seconds());
    this.listen();
    this.table.start(words, this.queue);
    this.ready = restored(this.dataset.url).catch(() => []);
    this.queue.transfers.push(...(await this.ready));
    this.show();
    followOthers(this.dataset.url, this.queue);
    for (const input of this.inputs) if (input.files.length) this.choose(input); // chosen before this was ready
  }

  listen() {
    this.form.querySelector("button").hidden = true;
    this.classList.add("is-live");
    this.part("folder").hidden = false;
    for (const input of this.inputs) input.addEventListener("change", () => this.choose(input));
    this.addEventListener("click", (event) => this.act(event));
    this.table.addEventListener("keep", (event) => this.keepDuplicate(event.detail));
    this.takeDrops();
    addEventListener("beforeunload", (event) => this.holdsFiles() && event.preventDefault());
    addEventListener("pagehide", () => keep(this.dataset.url, this.queue.transfers));
  }

  takeDrops() {
    let depth = 0; // dragenter and dragleave also come from the children
    const mark = (change) => {
      depth = change ? Math.max(0, depth + change) : 0;
      this.form.classList.toggle("is-target", depth > 0);
    };
    const withFiles = (then) => (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault(); // beside the zone too: a missed drop must not leave the page
      then(event);
    };
    addEventListener("dragenter", withFiles(() => mark(1)));
    addEventListener("dragleave", withFiles(() => mark(-1)));
    addEventListener("dragover", withFiles(() => {}));
    addEventListener("drop", withFiles(async (event) => {
      mark(0);
      this.take(droppedFiles(event.dataTransfer));
    }));
  }

  choose(input) {
    this.take(chosenFiles(input.files));
    input.value = "";
  }

  /** Take files once it is known what they may continue. */
  async take(files) {
    await this.ready;
    this.queue.add(await files);
  }

  act(event) {
    const wanted = event.target.closest("[data-do]")?.dataset.do;
    const key = event.target.closest("[data-id]")?.dataset.id;
    const one = this.queue.transfers.filter((transfer) => transfer.key === key);
    const verbs = {
      again: () => this.queue.again(one),
      pause: () => this.queue.pause(one),
      continue: () => this.queue.again(one),
      remove: () => this.remove(one),
      "again-all": () => this.queue.again(this.queue.of("failed")),
      "pause-all": () => this.queue.pause(this.queue.transfers),
      "continue-all": () => this.queue.again(this.queue.of("paused")),
      clear: () => (this.queue.clear(), this.inputs[0].focus({ preventScroll: true })),
    };
    verbs[wanted]?.();
  }

  remove([transfer]) {
    this.queue.remove(transfer);
    this.inputs[0].focus({ preventScroll: true });
  }

  async keepDuplicate(transfer) {
    try {
      applyOutcome(transfer, (await postJson(`${new URL(transfer.url).pathname}/keep`)).incoming);
      this.arrived.push(transfer.upload);
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      Object.assign(transfer, { status: "refused", error: problem.message || this.words.say("not-done") });
    }
    this.plan();
  }

  whyNot({ status, message }) {
    if (status === 413 && !message) return this.words.say("transfer-too-large");
    if (status === 401 || status === 403) return this.words.say("signed-out");
    if (status) return message || this.words.say("transfer-failed", { status });
    return this.words.say("unreadable");
  }

  /** Show soon: progress of many files comes more often than anybody sees. */
  plan() {
    this.planned ??= setTimeout(() => this.show(), SHOWN_EVERY_MS);
  }

  show() {
    this.planned = undefined;
    const { transfers } = this.queue;
    const open = transfers.filter((transfer) => !hasEnded(transfer));
    this.tellArrived();
    this.showList(open);
    this.showOverall(transfers);
    const busy = this.queue.isBusy();
    this.table.show(busy ? [] : transfers.filter(hasEnded));
    if (!busy) keep(this.dataset.url, transfers);
  }

  /** Tell the page of what has been uploaded, many at a time. */
  tellArrived() {
    const detail = this.arrived.splice(0);
    if (detail.length) this.dispatchEvent(new CustomEvent("uploaded", { bubbles: true, detail }));
  }

  showList(open) {
    if (this.list.contains(document.activeElement)) {
      const row = document.activeElement.closest("[data-id]");
      if (row && !open.some(({ key }) => key === row.dataset.id)) this.inputs[0].focus({ preventScroll: true });
    }
    const items = open.map((transfer) => ({ id: transfer.key, transfer }));
    showKeyed(this.list, items, this.querySelector("template[data-row=transfer]"), (row, { transfer }) => this.showTransfer(row, transfer));
    setHidden(this.part("transfers"), !open.length);
  }

  showTransfer(row, transfer) {
    const { name, folder, status, error, sent, size } = transfer;
    const mark = JSON.stringify([status, error, sent, transfer.isTrying, transfer.isElsewhere]);
    if (row.dataset.mark === mark) return; // of thousands, few have changed
    row.dataset.mark = mark;
    const field = (part) => row.querySelector(`[data-field="${part}"], [data-do="${part}"]`);
    if (!row.dataset.status) {
      setText(field("name"), name);
      setText(field("folder"), folder && `${folder}/`);
      field("bar").setAttribute("aria-label", name);
      for (const button of row.querySelectorAll("button")) button.title = `${button.textContent.trim()}: ${name}`;
    }
    row.dataset.status = status;
    setText(field("detail"), detailOf(transfer, this.words));
    setText(field("error"), error);
    field("bar").value = size ? sent / size : 0;
    setHidden(field("again"), status !== "failed");
    setHidden(field("pause"), !["queued", "sending", "waiting"].includes(status));
    setHidden(field("continue"), status !== "paused");
    setHidden(field("remove"), status === "elsewhere"); // it is that tab's
  }

  showOverall(transfers) {
    const { files, ended, bytes, sent } = overall(transfers);
    const busy = transfers.filter(isBusy);
    this.meter.note(sent, seconds());
    const told = this.words.say("uploading", { ended, files: this.words.count("files", files) });
    const pace = busy.some(({ status }) => status === "sending") ? paceOf(this.meter, bytes, this.words) : [];
    setText(this.part("overall"), busy.length ? [told, ...pace].join(" · ") : "");
    this.part("overall-bar").hidden = !busy.length;
    this.part("overall-bar").value = bytes ? sent / bytes : 0;
    setHidden(this.part("again-all"), this.queue.of("failed").length < 2);
    setHidden(this.part("pause-all"), busy.length < 2 || busy.every(({ status }) => status === "paused"));
    setHidden(this.part("continue-all"), this.queue.of("paused").length < 2);
    setHidden(this.part("choose-again"), busy.length > 0 || !transfers.some(isBroken));
  }

  /** Whether leaving the page interrupts something: the browser hands files out once, when they are chosen. */
  holdsFiles() {
    return this.queue.isBusy() || this.queue.of("failed").length > 0;
  }

  part(name) {
    return this.querySelector(`[data-field="${name}"], [data-do="${name}"]`);
  }
}

customElements.define("upload-zone", UploadZone);
