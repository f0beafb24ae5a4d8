/**
 * The files of a drop or a choice, folders opened: a flat list of `{ file, folder }`, the folder with /. What cannot be
 * read is `{ name, folder, problem }`: it must not take the others with it.
 */

const NOT_RECORDINGS = /^(\.|Thumbs\.db$|desktop\.ini$)/i;

export async function droppedFiles(transfer) {
  // Entries must be taken before the first await: the list is emptied when the event handler returns.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return chosenFiles(transfer.files);
  return (await Promise.all(entries.map((entry) => filesOf(entry, "")))).flat();
}

/** Files of an <input>; one for folders tells where each lay. */
export function chosenFiles(files) {
  const found = [...files].map((file) => ({ file, parts: (file.webkitRelativePath || file.name).split("/") }));
  return found
    .filter(({ parts }) => parts.length === 1 || !parts.some((part) => NOT_RECORDINGS.test(part)))
    .map(({ file, parts }) => ({ file, folder: parts.slice(0, -1).join("/") }));
}

async function filesOf(entry, folder) {
  if (NOT_RECORDINGS.test(entry.name)) return [];
  const lost = (problem) => [{ name: entry.name, folder, problem }];
  if (entry.isFile) return new Promise((resolve, reject) => entry.file(resolve, reject)).then((file) => [{ file, folder }], lost);
  const inside = folder ? `${folder}/${entry.name}` : entry.name;
  const { children, problem } = await childrenOf(entry.createReader());
  const found = await Promise.all(children.map((child) => filesOf(child, inside)));
  return [...found.flat(), ...(problem ? lost(problem) : [])];
}

/** `readEntries` hands out at most a hundred at a time, and an empty list at the end; or a problem after any of them. */
async function childrenOf(reader) {
  const children = [];
  try {
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return { children };
      children.push(...some);
    }
  } catch (problem) {
    return { children, problem };
  }
}
