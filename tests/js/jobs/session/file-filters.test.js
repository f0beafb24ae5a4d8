/** Which files are shown: the address says it, and stays as short as it can. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { served } from "../../served.js";

const { FileFilters } = await served("jobs/session/file-filters.js");

/** Filters on a page of which only the address matters; `asked` counts how often the server was asked. */
function filtersAt(query) {
  const form = { addEventListener() {}, elements: { q: { value: "" } } };
  const page = { querySelector: () => form, addEventListener() {} };
  const [pushed, seen] = [[], { asked: 0 }];
  Object.assign(globalThis, {
    location: { search: query, pathname: "/sessions/7/" },
    history: { pushState: (_state, _title, address) => pushed.push(address) },
    addEventListener: (name, listen) => (seen[name] = listen),
  });
  const filters = new FileFilters(page, null, () => (seen.asked += 1));
  return { filters, form, pushed, seen };
}

test("an address names what is other than usual", () => {
  const { filters } = filtersAt("?show=failed&page=3");
  assert.equal(filters.address({ page: 4 }), "?show=failed&page=4");
  assert.equal(filters.address({ page: 1 }), "?show=failed");
  assert.equal(filters.address({ show: "all", page: 1 }), "?");
  assert.equal(filters.address({ q: "mill & ledger", page: 1 }), "?show=failed&q=mill+%26+ledger");
});

test("a job that is run again is not run again on the next page", () => {
  assert.equal(filtersAt("?again=5&show=failed").filters.address({ page: 2 }), "?show=failed&page=2");
});

test("going somewhere else is written into the history, and asked for once", () => {
  const { filters, pushed, seen } = filtersAt("");
  filters.push("?show=failed");
  assert.deepEqual([pushed, seen.asked, filters.query], [["?show=failed"], 1, "?show=failed"]);
  filters.push("?show=failed");
  assert.equal(seen.asked, 1, "it is there already");
  filters.push("?");
  assert.deepEqual([pushed.at(-1), filters.query, seen.asked], ["/sessions/7/", "", 2]);
  filters.push("?");
  assert.equal(seen.asked, 2);
});

test("a search begins on the first page, without the spaces around it", () => {
  const { filters, form, pushed } = filtersAt("?page=5");
  form.elements.q.value = "  water mill ";
  filters.find({ preventDefault() {} });
  assert.deepEqual(pushed, ["?q=water+mill"]);
});

test("back in the history shows what was shown there", () => {
  const { filters, seen } = filtersAt("?show=failed");
  globalThis.location.search = "?show=complete";
  seen.popstate();
  assert.deepEqual([filters.query, seen.asked], ["?show=complete", 1]);
});

test("a link opened in another tab is the browser's, one pressed here is not", () => {
  const { filters, pushed } = filtersAt("");
  const link = { getAttribute: () => "?page=2", closest: () => null };
  const press = (more = {}) => {
    let isTaken = false;
    filters.follow({ target: { closest: () => link }, button: 0, preventDefault: () => (isTaken = true), ...more });
    return isTaken;
  };
  for (const more of [{ ctrlKey: true }, { metaKey: true }, { shiftKey: true }, { button: 1 }]) assert.equal(press(more), false);
  assert.equal(press(), true);
  assert.deepEqual(pushed, ["?page=2"]);
  filters.follow({ target: { closest: () => null }, button: 0, preventDefault: () => assert.fail("no link was pressed") });
});
