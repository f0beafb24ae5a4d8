/** One file over tus 1.0, by tus-js-client: begun, continued where it broke off, given up. */

import { HttpProblem, csrfToken, problemOf } from "../../bulktranscribe/http.js";

const STALLED_MS = 120_000; // nothing moved for so long: the connection is dead, whoever has not noticed yet
const UNLOCKING_MS = [500, 2_000, 8_000]; // the server may still be reading from the request that was just broken off

/** Return tus-js-client, or null where npm could not be reached when this was installed. */
export async function loadTus() {
  await import("../../npm/tus/tus.min.js").catch(() => null); // no module: it puts itself on the window
  return window.tus?.isSupported ? window.tus : null;
}

/**
 * Send `file` to `url`, or to a new one that `endpoint` gives. Return `{ done, stop }`: `done` resolves when all has
 * arrived, rejects with an HttpProblem, and does neither after `stop`. `told` has onUrl, onProgress, onPiece and
 * pieceSize, which is asked before each piece.
 */
export function sendFile(tus, { file, url, metadata, endpoint }, told) {
  const pieces = new Pieces(file);
  let upload, watch;
  const done = new Promise((resolve, reject) => {
    const alive = () => {
      clearTimeout(watch);
      watch = setTimeout(() => (upload.abort(), reject(new HttpProblem(0))), STALLED_MS);
    };
    upload = new tus.Upload(file, {
      ...(url ? { uploadUrl: url } : { endpoint }),
      metadata,
      chunkSize: told.pieceSize(),
      retryDelays: null, // the page waits itself, and says so
      storeFingerprintForResuming: false, // the server knows what is unfinished
      fileReader: { openFile: async () => pieces },
      onBeforeRequest: (request) => (alive(), prepare(request, pieces)),
      onUploadUrlAvailable: () => told.onUrl(upload.url),
      onProgress: (sent) => (alive(), told.onProgress(sent)),
      onChunkComplete: (size) => {
        told.onPiece(size);
        upload.options.chunkSize = told.pieceSize();
      },
      onSuccess: resolve,
      onError: ({ originalResponse: answer }) => reject(problemOf(answer?.getStatus() ?? 0, answer?.getBody() ?? "")),
    });
    upload.start();
  });
  const end = () => clearTimeout(watch);
  done.then(end, end);
  return { done, stop: () => (end(), upload.abort()) };
}

/** Tell the server to forget what has arrived. */
export function giveUp(tus, url) {
  const onBeforeRequest = (request) => request.setHeader("X-CSRFToken", csrfToken());
  return tus.Upload.terminate(url, { onBeforeRequest, retryDelays: UNLOCKING_MS });
}

/** The pieces of a file as tus-js-client reads them. */
class Pieces {
  constructor(file) {
    this.file = file;
    this.size = file.size;
    this.latest = null;
  }

  async slice(start, end) {
    this.latest = this.file.slice(start, end);
    return { value: this.latest, done: end >= this.size };
  }

  close() {}
}

/** Every write carries the token; a piece its digest, where the browser can make one: not over plain http. */
async function prepare(request, { latest }) {
  request.setHeader("X-CSRFToken", csrfToken());
  if (request.getMethod() !== "PATCH" || !crypto.subtle) return;
  const digest = await crypto.subtle.digest("SHA-1", await latest.arrayBuffer());
  request.setHeader("Upload-Checksum", `sha1 ${btoa(String.fromCharCode(...new Uint8Array(digest)))}`);
}
