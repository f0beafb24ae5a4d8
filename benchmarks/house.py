"""How large files, functions and folders are, and who imports in circles: `python -m benchmarks.house [FOLDER]`.

Prints, judges nothing. FOLDER is another checkout, to compare with; what git tracks there is counted.
"""

import argparse
import ast
import re
import statistics
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from tests.import_graph import Import, Kind, circles, imports, within

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bulktranscribe", "jobs", "remoteworker", "review", "gpu_worker")
LANGUAGES = {".py": "Python", ".js": "JavaScript"}
LONG_FILE = 400
LONG_FUNCTION = 40
FULL_FOLDER = 20
Sized = list[tuple[int, str]]  # lines, and of what
COUNTED = {
    Kind.TOP: "when imported",
    Kind.TYPING: "also under TYPE_CHECKING",
    Kind.INSIDE: "also in functions",
}

# What is not code in JavaScript. A slash opens a pattern where a value may stand: not behind a name or a bracket.
NOT_CODE = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\""
    r"|`(?:\\.|\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\}|[^`\\])*`"
    r"|(?:(?<=[=(,:;!&|?{}\[>+\-*%^~])|(?<=\breturn))\s*/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/",
    re.DOTALL,
)
FUNCTION = re.compile(
    r"\bfunction\b\s*\*?\s*(?P<named>[\w$]*)\s*(?=\()"
    r"|^[ \t]*(?:(?:static|async|get|set)\s+)*\*?(?P<method>[#\w$]+)(?=\([^;\n]*\)\s*\{)"
    r"|(?P<arrow>=>)",
    re.MULTILINE,
)
NO_METHOD = {"if", "for", "while", "switch", "catch", "with", "function", "super"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT)
    root = parser.parse_args().folder.resolve()
    files = tracked(root)
    code = [path for path in files if path.suffix in LANGUAGES and "migrations" not in path.parts]
    groups: dict[str, list[PurePosixPath]] = {}
    for path in sorted(code, key=lambda one: (-len(LANGUAGES[one.suffix]), is_test(one))):
        groups.setdefault(f"{LANGUAGES[path.suffix]}, {'tests' if is_test(path) else 'source'}", []).append(
            path
        )
    show_table(f"Lines of a file (long: over {LONG_FILE})", {
        name: [(len(text_of(root, path).splitlines()), str(path)) for path in paths]
        for name, paths in groups.items()
    }, LONG_FILE)  # fmt: skip
    functions = {name: [one for path in paths for one in sized(root, path)] for name, paths in groups.items()}
    show_table(f"Lines of a function (long: over {LONG_FUNCTION})", functions, LONG_FUNCTION)
    show_folders(files)
    show_circles(imports(root, PACKAGES))


def tracked(root: Path) -> list[PurePosixPath]:
    argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(argv, cwd=root, check=True, capture_output=True, text=True).stdout
    names = sorted(set(filter(None, listed.split("\0"))))
    return [PurePosixPath(name) for name in names if (root / name).is_file()]


def is_test(path: PurePosixPath) -> bool:
    return path.parts[0] in ("tests", "benchmarks")


def text_of(root: Path, path: PurePosixPath) -> str:
    return (root / path).read_text()


# Tables ------------------------------------------------------------------------------------------


def show_table(title: str, groups: dict[str, Sized], limit: int) -> None:
    print(f"\n{title}")
    print(f"{'':20} {'count':>6} {'lines':>7} {'median':>7} {'p90':>5} {'max':>5} {'long':>5}  longest")
    for name, rows in groups.items():
        lengths = sorted(length for length, _ in rows)
        long = sum(length > limit for length in lengths)
        print(
            f"{name:20} {len(lengths):6} {sum(lengths):7} {statistics.median(lengths):7g} {tenth_longest(lengths):5} "
            f"{lengths[-1]:5} {long:5}  {max(rows)[1]}"
        )
    for length, name in sorted(
        (row for rows in groups.values() for row in rows if row[0] > limit), reverse=True
    ):
        print(f"    {length:5}  {name}")


def tenth_longest(ordered: Sequence[int]) -> int:
    """Return what nine of ten do not exceed."""
    return ordered[max(0, -(-9 * len(ordered) // 10) - 1)]


def show_folders(files: Iterable[PurePosixPath]) -> None:
    counted = Counter(str(path.parent) for path in files)
    full = {folder: count for folder, count in counted.most_common() if count > FULL_FOLDER}
    print(f"\nFiles of a folder, directly in it: {len(counted)} folders, max {max(counted.values())}")
    print(f"over {FULL_FOLDER}: {len(full)}")
    for folder, count in full.items():
        print(f"    {count:5}  {folder}/")


def show_circles(found: list[Import]) -> None:
    print("\nImport circles among modules")
    for kind, when in COUNTED.items():
        print(f"{when:26} {len(circles(found, kind)):4}")
    for circle in circles(found):
        print(f"    {', '.join(circle)}")
        for one in within(found, circle):
            print(f"        {one} ({one.kind.name.lower()})")


# Functions ---------------------------------------------------------------------------------------


def sized(root: Path, path: PurePosixPath) -> Iterator[tuple[int, str]]:
    """Every function of a file: how many lines it has, and where it is. One within another counts in both."""
    found = python_functions if path.suffix == ".py" else script_functions
    for name, first, last in found(text_of(root, path)):
        yield last - first + 1, f"{path}:{first} {name}"


def python_functions(text: str) -> Iterator[tuple[str, int, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, node.end_lineno or node.lineno


def script_functions(text: str) -> Iterator[tuple[str, int, int]]:
    """Return the functions, methods and arrows with a body in braces: name, first line, last line."""
    code = code_alone(text)
    for match in FUNCTION.finditer(code):
        name = match["named"] or match["method"] or name_before(code, match.start())
        opens = body(code, match.end(), is_arrow=bool(match["arrow"]))
        if opens is None or match["method"] in NO_METHOD:
            continue
        start = match.start("method") if match["method"] else match.start()
        yield name, line_of(code, start), line_of(code, closing(code, opens))


def code_alone(text: str) -> str:
    """Return JavaScript with comments, texts and patterns made blank; every line stays where it is."""
    return NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def name_before(code: str, end: int) -> str:
    """Return what a function without a name of its own is given to, where its line says so."""
    line = code[code.rfind("\n", 0, end) + 1 : end]
    given = re.search(r"([#\w$]+)\s*[=:]\s*(?:async\s*)?(?:\([^=]*\)|[\w$]*)\s*$", line)
    return given[1] if given else "(anonymous)"


def body(code: str, place: int, *, is_arrow: bool) -> int | None:
    """Return where the brace of the body is behind `place`; None where an arrow has an expression instead."""
    if not is_arrow:
        place = closing(code, code.index("(", place)) + 1
    found = re.compile(r"\s*\{").match(code, place)
    return found.end() - 1 if found else None


def closing(code: str, opens: int) -> int:
    """Return where the bracket at `opens` closes."""
    depth = 0
    for match in re.compile(r"[(){}\[\]]").finditer(code, opens):
        depth += 1 if match[0] in "({[" else -1
        if not depth:
            return match.start()
    return len(code) - 1


def line_of(code: str, place: int) -> int:
    return code.count("\n", 0, place) + 1


if __name__ == "__main__":
    main()
