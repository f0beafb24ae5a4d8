/** Modules by the address that they are served at, `review/view/caret.js`, with those of other packages that they import. */

import { register } from "node:module";

register("./served_hooks.js", import.meta.url);

export function served(address) {
  return import(new URL(`../../${address.split("/")[0]}/static/${address}`, import.meta.url));
}
