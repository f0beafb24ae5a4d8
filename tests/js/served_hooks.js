/** How addresses between modules are found on the disk: the folders `static/` of all packages are served as one. */

const PLACE = /^(.*\/)(\w+)\/static\/(\w+\/.*)$/;

export async function resolve(specifier, context, next) {
  const [, root, , served] = context.parentURL?.match(PLACE) ?? [];
  if (!root || !specifier.startsWith(".")) return next(specifier, context);
  const address = new URL(specifier, new URL(served, "https://served.invalid/")).pathname.slice(1);
  return next(`${root}${address.split("/")[0]}/static/${address}`, context);
}
