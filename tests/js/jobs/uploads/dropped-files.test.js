/** What a drop holds: folders opened, and what cannot be read named without the rest being lost. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { chosenFiles, droppedFiles } from "../../../../jobs/static/jobs/uploads/dropped-files.js";

const gone = new DOMException("A requested file or directory could not be found.", "NotFoundError");
const fileEntry = (name) => ({ name, isFile: true, file: (then) => then({ name }) });
const lostFile = (name) => ({ name, isFile: true, file: (then, fail) => fail(gone) });
const folder = (name, ...batches) => ({
  name,
  isFile: false,
  createReader: () => ({
    readEntries: (then, fail) => (batches[0] === gone ? fail(gone) : then(batches.shift() ?? [])),
  }),
});
const dropOf = (...entries) => ({ items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })), files: [] });
const said = (found) => found.map(({ file, name, folder: where, problem }) => [file?.name ?? name, where, problem?.name ?? ""]);

test("folders are opened, and what is no recording is left out", async () => {
  const inner = folder("2019", [fileEntry("b.wav")]);
  const found = await droppedFiles(dropOf(folder("valley", [fileEntry("a.wav"), fileEntry(".DS_Store")], [inner]), fileEntry("c.wav")));
  assert.deepEqual(said(found), [["a.wav", "valley", ""], ["b.wav", "valley/2019", ""], ["c.wav", "", ""]]);
});

test("a file that cannot be read is named, and its neighbours are taken", async () => {
  const found = await droppedFiles(dropOf(folder("valley", [fileEntry("a.wav"), lostFile("b.wav"), fileEntry("c.wav")])));
  assert.deepEqual(said(found), [["a.wav", "valley", ""], ["b.wav", "valley", "NotFoundError"], ["c.wav", "valley", ""]]);
});

test("of a folder that cannot be read to its end, what was read is taken", async () => {
  const found = await droppedFiles(dropOf(folder("valley", [fileEntry("a.wav"), folder("2019", gone)], [fileEntry("b.wav")], gone)));
  assert.deepEqual(said(found), [
    ["a.wav", "valley", ""],
    ["2019", "valley", "NotFoundError"],
    ["b.wav", "valley", ""],
    ["valley", "", "NotFoundError"],
  ]);
});

test("files that are chosen tell where they lay", () => {
  const files = [{ name: "a.wav", webkitRelativePath: "valley/2019/a.wav" }, { name: ".x", webkitRelativePath: "valley/.x" }, { name: ".b.wav" }];
  assert.deepEqual(said(chosenFiles(files)), [["a.wav", "valley/2019", ""], [".b.wav", "", ""]]);
});
