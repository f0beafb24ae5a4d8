/** Paths of modules as JSON on stdin; on stdout, for each, what its syntax tree says: functions and imports. For test_house.py. */

import { readFileSync } from "node:fs";

import { parse } from "acorn";

const FUNCTIONS = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];
const IMPORTS = ["ImportDeclaration", "ExportNamedDeclaration", "ExportAllDeclaration", "ImportExpression"];

const paths = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(Object.fromEntries(paths.map((path) => [path, readModule(path)]))));

/** Return `{ lines, functions: [{ name, line, lines }], imports: [address] }`. */
function readModule(path) {
  const text = readFileSync(path, "utf8");
  const found = { lines: text.split("\n").length - 1, functions: [], imports: [] };
  visit(parse(text, { ecmaVersion: "latest", sourceType: "module", locations: true }), null, found);
  return found;
}

function visit(node, parent, found) {
  if (FUNCTIONS.includes(node.type)) found.functions.push(describe(node, parent));
  if (IMPORTS.includes(node.type) && node.source?.value) found.imports.push(node.source.value);
  for (const value of Object.values(node)) {
    for (const child of [value].flat()) if (typeof child?.type === "string") visit(child, node, found);
  }
}

/** A method's name stands before its function, and belongs to it. */
function describe(node, parent) {
  const isNamedByParent = ["MethodDefinition", "Property", "PropertyDefinition", "VariableDeclarator"].includes(parent?.type);
  const whole = isNamedByParent ? parent : node;
  const name = node.id?.name ?? (isNamedByParent ? (parent.key ?? parent.id).name : undefined) ?? "(function)";
  return { name, line: whole.loc.start.line, lines: whole.loc.end.line - whole.loc.start.line + 1 };
}
