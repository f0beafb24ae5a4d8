/** Steps that the server has not acknowledged, in this browser's IndexedDB: for one person and one transcript. */

const DATABASE = "review";
const STEPS = "steps";

/** Open the storage; rejects where the browser has none. `now` gives milliseconds. */
export async function openKeptSteps(place, { indexedDB = globalThis.indexedDB, now = Date.now } = {}) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore(STEPS, { keyPath: "id" }).createIndex("place", "place");
  };
  return new KeptSteps(await answerOf(opening), place, now);
}

class KeptSteps {
  constructor(database, place, now) {
    Object.assign(this, { database, place, now, latest: 0 });
    database.onversionchange = () => database.close(); // a newer page wants to change it
  }

  /** Store a step, in the place of an earlier one where `formerId` says so. Resolves when it is on the disk. */
  async put(step, formerId = null) {
    this.latest = Math.max(this.latest + 1, this.now() * 1000); // several within one millisecond keep their order
    const order = this.latest;
    await this.change((steps) => {
      const reading = steps.get(formerId ?? step.id);
      reading.onsuccess = () => {
        if (formerId) steps.delete(formerId);
        steps.put({ id: step.id, place: this.place, order: reading.result?.order ?? order, step });
      };
    });
  }

  async remove(id) {
    await this.change((steps) => steps.delete(id));
  }

  /** Return all steps in the order in which they were done. */
  async all() {
    const steps = this.database.transaction(STEPS).objectStore(STEPS);
    const rows = await answerOf(steps.index("place").getAll(this.place));
    return rows.sort((one, other) => one.order - other.order).map((row) => row.step);
  }

  change(work) {
    // "strict": on the disk, not only in the operating system's memory, when it says so
    const transaction = this.database.transaction(STEPS, "readwrite", { durability: "strict" });
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
