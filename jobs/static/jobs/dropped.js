/** The files of a drop, folders opened: a flat list. */

const NOT_RECORDINGS = /^(\.|Thumbs\.db$|desktop\.ini$)/i;

export async function droppedFiles(transfer) {
  // Entries must be taken before the first await: the list is emptied when the event handler returns.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map(filesOf))).flat();
}

async function filesOf(entry) {
  if (NOT_RECORDINGS.test(entry.name)) return [];
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const children = await childrenOf(entry.createReader());
  return (await Promise.all(children.map(filesOf))).flat();
}

/** `readEntries` hands out at most a hundred at a time, and an empty list at the end. */
async function childrenOf(reader) {
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}
