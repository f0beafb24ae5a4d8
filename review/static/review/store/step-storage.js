/** Steps that the server has not acknowledged, in this browser's IndexedDB: for one person and one transcript. */

const DATABASE = "review";
const STEPS = "steps";

/** Open the storage; rejects where the browser has none or cannot read it. `now` gives milliseconds. */
export async function openStepStorage(place, { indexedDB = globalThis.indexedDB, now = Date.now } = {}) {
  const kept = new StepStorage(place, { indexedDB, now });
  await kept.all();
  return kept;
}

class StepStorage {
  constructor(place, { indexedDB, now }) {
    Object.assign(this, { place, indexedDB, now, latest: 0 });
    this.opening = null; // a promise of the database
    this.rows = new Map(); // what this tab has put there
  }

  /** The database; opened once more where it was closed from outside. */
  opened() {
    this.opening ??= this.open().catch((problem) => {
      this.opening = null;
      throw problem;
    });
    return this.opening;
  }

  async open() {
    const opening = this.indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(STEPS, { keyPath: "id" }).createIndex("place", "place");
    };
    const database = await answerOf(opening);
    database.onclose = () => (this.opening = null);
    database.onversionchange = () => {
      this.opening = null; // a newer page wants to change it, or somebody clears what the browser keeps
      database.close();
    };
    const steps = database.transaction(STEPS, "readwrite").objectStore(STEPS);
    for (const row of this.rows.values()) steps.put(row);
    return database;
  }

  /** Store a step, in the place of an earlier one where `formerId` says so. Resolves when it is on the disk. */
  async put(step, formerId = null) {
    this.latest = Math.max(this.latest + 1, this.now() * 1000); // several within one millisecond keep their order
    const order = this.latest;
    await this.change((steps) => {
      const reading = steps.get(formerId ?? step.id);
      reading.onsuccess = () => {
        if (formerId) steps.delete(formerId);
        const row = { id: step.id, place: this.place, order: reading.result?.order ?? order, step };
        this.rows.delete(formerId);
        this.rows.set(step.id, row);
        steps.put(row);
      };
    });
  }

  async remove(id) {
    this.rows.delete(id);
    await this.change((steps) => steps.delete(id));
  }

  /** Return all steps in the order in which they were done. */
  async all() {
    const database = await this.opened();
    const steps = database.transaction(STEPS).objectStore(STEPS);
    const rows = await answerOf(steps.index("place").getAll(this.place));
    this.latest = rows.reduce((latest, { order }) => Math.max(latest, order), this.latest); // clocks are set back too
    return rows.sort((one, other) => one.order - other.order).map((row) => row.step);
  }

  async change(work) {
    const database = await this.opened();
    // "strict": on the disk, not only in the operating system's memory, when it says so
    const transaction = database.transaction(STEPS, "readwrite", { durability: "strict" });
    work(transaction.objectStore(STEPS));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  }
}

function answerOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("another tab holds an older version"));
  });
}
