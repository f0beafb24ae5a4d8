/** The files of a drop on their way: a few at a time, in pieces, again after whatever broke them off. No DOM. */

import { HttpProblem, getJson } from "../../bulktranscribe/http.js";
import { giveUp, sendFile } from "./send-file.js";
import { Meter, continuedBy, hasEnded, isBusy, nextToSend, pauseAfter, pieceSize, wantsFile, whatNext } from "./transfers.js";

const seconds = () => performance.now() / 1000;

/** A transfer that nothing has happened to. */
export function newTransfer(described) {
  const blank = { key: crypto.randomUUID?.() ?? String(Math.random()), file: null, url: "", sent: 0, error: "", failures: 0 };
  return { ...blank, modified: 0, status: "queued", upload: null, sound: null, duplicateOf: "", meter: new Meter(seconds()), ...described };
}

export class UploadQueue {
  /** `told`: onChange() after anything, onUploaded(upload), explain(problem) for a sentence. */
  constructor(tus, endpoint, told) {
    this.tus = tus;
    this.endpoint = endpoint;
    this.told = told;
    this.transfers = [];
    this.pace = { sent: 0, breaks: 0 };
    addEventListener("online", () => this.hurry());
  }

  /** Take files as they were dropped or chosen. What a reload broke off goes on; what is here already is left out, and
   * what cannot be read is refused. */
  add(files) {
    if (!this.isBusy() && !this.transfers.some(wantsFile)) this.transfers = this.transfers.filter((one) => !hasEnded(one));
    const isBroken = this.transfers.some(wantsFile);
    for (const { file, folder, name, problem } of files) {
      if (!file) {
        this.transfers.push(newTransfer({ name, folder, size: 0, status: "refused", error: this.told.explain(problem) }));
        continue;
      }
      const described = { name: file.name, folder, size: file.size, modified: file.lastModified };
      const same = isBroken && continuedBy(described, this.transfers);
      if (!same) this.transfers.push(newTransfer({ ...described, file }));
      else if (wantsFile(same)) Object.assign(same, { file, status: "queued" });
    }
    this.sendNext();
  }

  sendNext() {
    for (const transfer of nextToSend(this.transfers)) this.send(transfer);
    this.told.onChange();
  }

  async send(transfer) {
    const isTrying = transfer.failures > 0; // the page says what it waited for until something moves again
    Object.assign(transfer, { status: "sending", error: "", isTrying, meter: new Meter(seconds(), transfer.sent) });
    const { name, folder, file, url } = transfer;
    const metadata = { filename: name, relativePath: folder ? `${folder}/${name}` : name };
    const { done, stop } = sendFile(this.tus, { file, url, metadata, endpoint: this.endpoint }, this.progress(transfer));
    transfer.stop = stop;
    try {
      await done;
      await this.conclude(transfer);
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      if (transfer.status === "sending") await this.recover(transfer, problem);
    }
    this.sendNext();
  }

  progress(transfer) {
    return {
      pieceSize: () => pieceSize(this.pace),
      onUrl: (url) => (transfer.url = url),
      onProgress: (sent) => {
        if (sent > transfer.sent) transfer.isTrying = false;
        transfer.sent = sent;
        transfer.meter.note(sent, seconds());
        this.told.onChange();
      },
      onPiece: (size) => {
        this.pace.sent += size;
        transfer.failures = 0;
      },
    };
  }

  /** All has arrived: ask what became of it. */
  async conclude(transfer) {
    const { incoming } = (await getJson(transfer.url)).body;
    applyOutcome(transfer, incoming);
    if (transfer.upload) this.told.onUploaded(transfer.upload);
  }

  async recover(transfer, problem) {
    const next = whatNext(problem.status);
    if (next === "refused") return Object.assign(transfer, { status: "refused", error: this.told.explain(problem) });
    if (next === "anew") Object.assign(transfer, { url: "", sent: 0 });
    const isReadable = problem.status !== 0 || (await canRead(transfer.file));
    if (next === "ask" || !isReadable) {
      return Object.assign(transfer, { status: "failed", error: this.told.explain(problem) });
    }
    transfer.isElsewhere = problem.status === 423;
    if (!transfer.isElsewhere) this.pace.breaks += 1;
    transfer.failures += 1;
    transfer.status = "waiting";
    transfer.timer = setTimeout(() => this.again([transfer]), 1000 * pauseAfter(transfer.failures));
  }

  /** The connection is back: nobody waits any longer. */
  hurry() {
    this.again(this.transfers.filter(({ status }) => status === "waiting"));
  }

  again(transfers) {
    for (const transfer of transfers) {
      clearTimeout(transfer.timer);
      Object.assign(transfer, { status: "queued", error: "" });
    }
    this.sendNext();
  }

  pause(transfers) {
    for (const transfer of transfers.filter(isBusy)) {
      clearTimeout(transfer.timer);
      if (transfer.status === "sending") transfer.stop();
      transfer.status = "paused";
    }
    this.sendNext();
  }

  /** Take one out of the list; what has arrived of it is forgotten. */
  remove(transfer) {
    this.pause([transfer]);
    if (transfer.url && !hasEnded(transfer)) giveUp(this.tus, transfer.url).catch(() => null); // it expires by itself
    this.forget(transfer);
    this.sendNext();
  }

  forget(transfer) {
    this.transfers = this.transfers.filter((other) => other !== transfer);
    this.told.onChange();
  }

  change(transfer, changes) {
    Object.assign(transfer, changes);
    this.told.onChange();
  }

  /** Forget what has ended. */
  clear() {
    this.transfers = this.transfers.filter((transfer) => !hasEnded(transfer));
    this.told.onChange();
  }

  isBusy() {
    return this.transfers.some(isBusy);
  }

  of(status) {
    return this.transfers.filter((transfer) => transfer.status === status);
  }
}

/** Note what the server says of a file; whether it has ended. */
export function applyOutcome(transfer, incoming) {
  const { upload, duplicateOf: twin, offsetBytes } = incoming;
  if (upload) Object.assign(transfer, { status: "done", upload, sound: upload.sound });
  else if (twin) Object.assign(transfer, { status: "duplicate", duplicateOf: twin.name });
  else if (offsetBytes === transfer.size) throw new HttpProblem(410); // it was deleted since
  transfer.sent = offsetBytes;
  return hasEnded(transfer);
}

async function canRead(file) {
  return file.slice(0, 1).arrayBuffer().then(() => true, () => false);
}
