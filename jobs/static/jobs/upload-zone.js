/** Drop or choose files; each is sent by itself, a few at a time, and shows how it stands. */

import { droppedFiles } from "./dropped.js";
import { setHidden, setText } from "./keyed.js";
import { sendFile } from "./send-file.js";
import { Meter, detailOf, nextToSend, overall } from "./transfers.js";

const seconds = () => performance.now() / 1000;

class UploadZone extends HTMLElement {
  start(words) {
    this.words = words;
    this.transfers = [];
    this.form = this.querySelector("form");
    this.input = this.querySelector("input[type=file]");
    this.list = this.querySelector("[data-list=transfers]");
    this.form.querySelector("button").hidden = true;
    this.classList.add("is-live");
    this.input.addEventListener("change", () => this.choose());
    this.list.addEventListener("click", (event) => this.act(event));
    this.part("again-all").addEventListener("click", () => this.sendAgain(this.failed()));
    this.takeDrops();
    addEventListener("beforeunload", (event) => this.holdsFiles() && event.preventDefault());
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
      this.add(await droppedFiles(event.dataTransfer));
    }));
  }

  choose() {
    this.add([...this.input.files]);
    this.input.value = "";
  }

  add(files) {
    if (!this.isBusy()) this.transfers = this.transfers.filter((transfer) => transfer.status !== "done");
    for (const file of files) {
      const row = this.querySelector("template").content.firstElementChild.cloneNode(true);
      const transfer = { file, row, size: file.size, sent: 0, status: "queued", error: "", meter: new Meter(seconds()) };
      setText(field(row, "name"), file.name);
      field(row, "bar").setAttribute("aria-label", file.name);
      for (const button of row.querySelectorAll("button")) button.title = `${button.textContent.trim()}: ${file.name}`;
      this.list.append(row);
      this.transfers.push(transfer);
    }
    this.sendNext();
  }

  sendNext() {
    for (const transfer of nextToSend(this.transfers)) this.send(transfer);
    this.show();
  }

  async send(transfer) {
    Object.assign(transfer, { status: "sending", sent: 0, error: "", meter: new Meter(seconds()) });
    const { done, abort } = sendFile(this.dataset.url, transfer.file, (loaded) => this.note(transfer, loaded));
    transfer.abort = abort;
    try {
      this.receive(transfer, await done);
    } catch (problem) {
      if (transfer.status === "sending") Object.assign(transfer, { status: "failed", error: await this.whyNot(problem, transfer) });
    }
    this.sendNext();
  }

  note(transfer, loaded) {
    transfer.sent = Math.min(loaded, transfer.size);
    transfer.meter.note(transfer.sent, seconds());
    this.show();
  }

  receive(transfer, { uploads, refused }) {
    if (refused.length) return Object.assign(transfer, { status: "refused", error: refused[0].error.message });
    transfer.status = "done";
    if (transfer.row.contains(document.activeElement)) this.input.focus({ preventScroll: true });
    transfer.row.remove();
    this.dispatchEvent(new CustomEvent("uploaded", { bubbles: true, detail: uploads }));
  }

  async whyNot(problem, { file }) {
    const { status, message } = problem;
    if (status === 413) return this.words.say("transfer-too-large");
    if (status === 401 || status === 403) return this.words.say("signed-out");
    if (status) return message || this.words.say("transfer-failed", { status });
    const isReadable = await file.slice(0, 1).arrayBuffer().then(() => true, () => false);
    return this.words.say(isReadable ? "transfer-offline" : "unreadable");
  }

  act(event) {
    const wanted = event.target.closest("[data-do]")?.dataset.do;
    const transfer = this.transfers.find(({ row }) => row.contains(event.target));
    if (!wanted || !transfer) return;
    if (wanted === "again") this.sendAgain([transfer]);
    else this.remove(transfer);
  }

  sendAgain(transfers) {
    for (const transfer of transfers) Object.assign(transfer, { status: "queued", sent: 0, error: "" });
    this.sendNext();
  }

  remove(transfer) {
    transfer.status = "removed";
    transfer.abort?.();
    transfer.row.remove();
    this.transfers = this.transfers.filter((other) => other !== transfer);
    this.input.focus({ preventScroll: true });
    this.sendNext();
  }

  show() {
    for (const transfer of this.transfers) if (transfer.status !== "done") this.showTransfer(transfer);
    const { files, ended, bytes, sent } = overall(this.transfers);
    this.part("transfers").hidden = ended === files;
    const isOver = !this.isBusy();
    this.part("overall-bar").hidden = isOver;
    setHidden(this.part("overall-line"), isOver && this.failed().length < 2);
    setText(this.part("overall"), this.words.say("uploading", { ended, files: this.words.count("files", files) }));
    this.part("overall-bar").value = bytes ? sent / bytes : 0;
    setHidden(this.part("again-all"), this.failed().length < 2);
  }

  showTransfer(transfer) {
    const { row, status, error, sent, size } = transfer;
    row.dataset.status = status;
    setText(field(row, "detail"), detailOf(transfer, this.words));
    setText(field(row, "error"), error);
    field(row, "bar").value = size ? sent / size : 0;
    setHidden(row.querySelector("[data-do=again]"), status !== "failed");
  }

  failed() {
    return this.transfers.filter((transfer) => transfer.status === "failed");
  }

  isBusy() {
    return this.transfers.some(({ status }) => ["queued", "sending"].includes(status));
  }

  /** Whether a reload would lose files: the browser hands them out once, when they are chosen. */
  holdsFiles() {
    return this.isBusy() || this.failed().length > 0;
  }

  part(name) {
    return this.querySelector(`[data-field="${name}"], [data-do="${name}"]`);
  }
}

function field(row, name) {
  return row.querySelector(`[data-field="${name}"]`);
}

customElements.define("upload-zone", UploadZone);
