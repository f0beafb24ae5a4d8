/** As much of IndexedDB as step-storage.js uses. What a transaction wrote is there when it is complete, or not at all. */

export class FakeIndexedDB {
  constructor() {
    this.rows = new Map(); // what is on the disk
    this.opened = []; // connections
    this.isBroken = false; // opening fails, as in a private window
    this.isFull = false; // writing fails
    this.durabilities = [];
  }

  open() {
    const request = {};
    queueMicrotask(() => {
      if (this.isBroken) return fail(request, "SecurityError");
      const connection = new Connection(this);
      this.opened.push(connection);
      request.result = connection;
      if (this.opened.length === 1) request.onupgradeneeded?.();
      return request.onsuccess();
    });
    return request;
  }
}

function fail(request, name) {
  request.error = new DOMException(name, name);
  request.onerror();
}

class Connection {
  constructor(database) {
    this.database = database;
    this.isClosed = false;
  }

  createObjectStore() {
    return { createIndex() {} };
  }

  close() {
    this.isClosed = true;
  }

  transaction(_name, mode, options) {
    if (this.isClosed) throw new DOMException("The connection is closed.", "InvalidStateError");
    if (options) this.database.durabilities.push(options.durability);
    return new Transaction(this.database);
  }
}

class Transaction {
  constructor(database) {
    this.database = database;
    this.former = new Map(database.rows);
    this.hasWritten = false;
    setImmediate(() => this.end());
  }

  get rows() {
    return this.database.rows;
  }

  objectStore() {
    return this;
  }

  index(name) {
    const valued = (value) => [...this.rows.values()].filter((row) => row[name] === value);
    return { getAll: (value) => this.answered(() => valued(value)) };
  }

  get(id) {
    return this.answered(() => this.rows.get(id));
  }

  put(row) {
    this.hasWritten = true;
    this.rows.set(row.id, structuredClone(row));
  }

  delete(id) {
    this.hasWritten = true;
    this.rows.delete(id);
  }

  answered(read) {
    const request = {};
    queueMicrotask(() => {
      request.result = structuredClone(read());
      request.onsuccess();
    });
    return request;
  }

  end() {
    if (this.database.isFull && this.hasWritten) {
      this.database.rows = this.former;
      this.error = new DOMException("full", "QuotaExceededError");
      return this.onabort?.();
    }
    return this.oncomplete?.();
  }
}
