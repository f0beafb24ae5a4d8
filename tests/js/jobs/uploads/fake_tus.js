/** tus-js-client as send-file.js uses it, and the server behind it: a test says what becomes of each request. */

export class FakeTus {
  constructor() {
    this.begun = []; // uploads, in the order in which they were started
    this.terminated = [];
    const tus = this;
    this.Upload = class extends FakeUpload {
      constructor(file, options) {
        super(file, options, tus);
      }

      static async terminate(url, options) {
        tus.terminated.push({ url, options });
      }
    };
  }

  get last() {
    return this.begun.at(-1);
  }
}

class FakeUpload {
  constructor(file, options, tus) {
    Object.assign(this, { file, options, tus, url: options.uploadUrl ?? null, isAborted: false });
  }

  start() {
    this.tus.begun.push(this);
  }

  abort() {
    this.isAborted = true;
  }

  /** The server gives it an address. */
  place(url) {
    this.url = url;
    this.options.onUploadUrlAvailable();
  }

  progress(sent) {
    this.options.onProgress(sent);
  }

  /** A piece has arrived whole. */
  piece(size) {
    this.options.onChunkComplete(size);
  }

  succeed() {
    this.options.onSuccess();
  }

  fail(status, body = "") {
    const answer = status === 0 ? null : { getStatus: () => status, getBody: () => body };
    this.options.onError({ originalResponse: answer });
  }
}

/** A file of so many bytes; one that was taken away cannot be read any more. */
export function fakeFile(name, size, { isGone = false, modified = 1 } = {}) {
  const bytes = isGone ? () => Promise.reject(new DOMException("gone", "NotFoundError")) : async () => new ArrayBuffer(1);
  return { name, size, lastModified: modified, slice: (start, end) => ({ size: end - start, arrayBuffer: bytes }) };
}

/** Let everything happen that waits for nothing but its turn. */
export function settled() {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
