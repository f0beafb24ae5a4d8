"""Who imports whom among our Python modules, read from their text, and the circles in that."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

Graph = dict[str, set[str]]


class Kind(IntEnum):
    """Where an import stands: each kind is harder to see than the one before."""

    TOP = 1  # carried out when the module is imported
    TYPING = 2  # under TYPE_CHECKING
    INSIDE = 3  # in a function, carried out when that is called


@dataclass(frozen=True)
class Import:
    """One module that imports another, and in which line."""

    module: str
    imported: str
    kind: Kind
    place: str

    def __str__(self) -> str:
        return f"{self.place} imports {self.imported}"


def imports(root: Path, packages: Iterable[str]) -> list[Import]:
    """Return the imports among these packages. That a module imports the packages it is in does not count."""
    files = {
        module_name(path.relative_to(root)): path
        for package in packages
        for path in sorted((root / package).rglob("*.py"))
    }
    return [
        Import(module, imported, kind, f"{path.relative_to(root)}:{line}")
        for module, path in files.items()
        for name, kind, line in _names(ast.parse(path.read_text()), _package(module, path), Kind.TOP)
        if (imported := _nearest(name, files)) and imported != module
    ]


def circles(found: Iterable[Import], up_to: Kind = Kind.INSIDE) -> list[list[str]]:
    """Return the groups of modules each of which imports all others of its group, if over several steps."""
    graph: Graph = {}
    for one in found:
        graph.setdefault(one.module, set())
        graph.setdefault(one.imported, set())
        if one.kind <= up_to:
            graph[one.module].add(one.imported)
    reached = {module: _reachable(graph, module) for module in graph}
    groups = {
        tuple(sorted(other for other in far if module in reached[other]))
        for module, far in reached.items()
        if module in far
    }
    return [list(group) for group in sorted(groups)]


def within(found: Iterable[Import], circle: Iterable[str]) -> list[Import]:
    """Return the imports that make a circle."""
    members = set(circle)
    return [one for one in found if {one.module, one.imported} <= members]


def module_name(path: Path) -> str:
    """Return the dotted name of a file relative to the root."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _reachable(graph: Graph, start: str) -> set[str]:
    """Every module that `start` imports, directly or over others; itself only where it is in a circle."""
    seen: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        module = ahead.pop()
        if module not in seen:
            seen.add(module)
            ahead += graph[module]
    return seen


def _package(module: str, path: Path) -> str:
    return module if path.name == "__init__.py" else module.rpartition(".")[0]


def _names(node: ast.AST, package: str, kind: Kind) -> Iterator[tuple[str, Kind, int]]:
    """Every dotted name imported below `node`, with the kind and the line of the import."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import():
                yield from ((alias.name, kind, child.lineno) for alias in child.names)
            case ast.ImportFrom():
                origin = _origin(child, package)
                yield from ((f"{origin}.{alias.name}", kind, child.lineno) for alias in child.names)
            case ast.If(test=test) if ast.unparse(test).endswith("TYPE_CHECKING"):
                yield from _names(child, package, max(kind, Kind.TYPING))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _names(child, package, Kind.INSIDE)
            case _:
                yield from _names(child, package, kind)


def _origin(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    above = parts[: len(parts) - node.level + 1]
    return ".".join([*above, node.module] if node.module else above)


def _nearest(name: str, modules: Iterable[str]) -> str:
    """Return the module that `name` is or is in; empty where it is none of ours."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name
