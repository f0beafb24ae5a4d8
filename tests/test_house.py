"""The house rules that a program can check: the tree, the variables, lengths, who knows whom."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from html import unescape
from os.path import normpath
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from gpu_worker.config import read_config
from tests.import_graph import circles, imports, within
from tests.js.node import run_node

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bulktranscribe", "jobs", "remoteworker", "review", "gpu_worker")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
# A line of the tree may stand for a folder with all that is in it, in these places only.
GROUPED = ("*/migrations/", "*/static/*", "templates/*", "tests/*", "docs/decisions/", "docs/screenshots/")
FOREIGN_FOLDERS = {
    "vendor",
    "vendored",
    "_vendor",
    "third_party",
    "thirdparty",
    "external",
    "contrib",
    "lib",
    "libs",
}
HANDED_ON = {"PYTHONPATH"}  # not ours to document: read to be extended for a child process
CONTROLLER_CODE = ("manage.py", "bulktranscribe", "jobs", "remoteworker", "review")


def ignored() -> tuple[str, ...]:
    lines = (ROOT / ".gitignore").read_text().split()
    return (".git", *(line.rstrip("/") for line in lines))


def files_below(folder: Path, unwanted: tuple[str, ...]) -> Iterator[PurePosixPath]:
    """Every file of the project, relative to its root; what git ignores is left out."""
    for path in sorted(folder.iterdir()):
        name = path.relative_to(ROOT)
        if any(
            fnmatch(f"/{name}" if pattern.startswith("/") else path.name, pattern) for pattern in unwanted
        ):
            continue
        if path.is_dir():
            yield from files_below(path, unwanted)
        else:
            yield PurePosixPath(name)


def project_files() -> list[PurePosixPath]:
    return list(files_below(ROOT, ignored()))


def python_files() -> list[PurePosixPath]:
    """Our own Python; migrations are Django's."""
    return [path for path in project_files() if path.suffix == ".py" and "migrations" not in path.parts]


def syntax_trees(*places: str) -> Iterator[tuple[PurePosixPath, ast.Module]]:
    for path in python_files():
        if path.parts[0] in places:
            yield path, ast.parse((ROOT / path).read_text())


# The tree ----------------------------------------------------------------------------------------


def drawn_tree() -> dict[str, str]:
    """Return what docs/architecture.md lists: path → its one line. Folders end with "/"."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    block = page.split("## The tree", 1)[1].split("```text\n", 1)[1].split("```", 1)[0]
    found: dict[str, str] = {}
    parents: list[str] = []
    for line in block.splitlines():
        name, _, purpose = line.strip().partition(" ")
        depth = (len(line) - len(line.lstrip())) // 2
        parents = [*parents[:depth], name]
        path = "".join(parents)
        assert path not in found, f"docs/architecture.md lists {path} twice"
        found[path] = purpose.strip()
    return found


def groups(tree: dict[str, str]) -> set[str]:
    """The folders that stand for all that is in them: those with nothing listed below."""
    folders = {path for path in tree if path.endswith("/")}
    return {folder for folder in folders if not any(p.startswith(folder) and p != folder for p in tree)}


def test_every_file_has_its_line_in_the_tree() -> None:
    tree = drawn_tree()
    grouped = groups(tree)
    for file in map(str, project_files()):
        described = f"{file.removesuffix('__init__.py')}" if file.endswith("/__init__.py") else file
        is_grouped = any(file.startswith(group) for group in grouped)
        assert described in tree or is_grouped, f"docs/architecture.md has no line for {file}"


def test_every_line_of_the_tree_is_on_the_disk() -> None:
    for path in drawn_tree():
        place = ROOT / path
        assert place.is_dir() if path.endswith("/") else place.is_file(), f"{path} is in the tree only"


def test_every_line_of_the_tree_says_what_it_is() -> None:
    assert not [path for path, purpose in drawn_tree().items() if not purpose]


def test_only_tests_pages_and_the_like_are_grouped_by_folder() -> None:
    for group in groups(drawn_tree()):
        assert any(fnmatch(group, pattern) for pattern in GROUPED), f"{group}: list its files one by one"


# Variables ---------------------------------------------------------------------------------------


def documented() -> dict[str, str]:
    """The variables of .env.example with what stands behind the equals sign."""
    text = (ROOT / ".env.example").read_text()
    return dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=(.*)$", text, re.MULTILINE))


def variables_read() -> dict[str, str]:
    """Return the variables that the code reads for itself, each with one place where it does."""
    found: dict[str, str] = {}
    for path, tree in syntax_trees(*CONTROLLER_CODE, "gpu_worker"):
        requests = [span(f) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) and takes_request(f)]
        for node in ast.walk(tree):
            name = variable_of(node)
            if name and name not in HANDED_ON and not any(node.lineno in lines for lines in requests):  # type: ignore[attr-defined]
                found[name] = str(path)
    return found


def variable_of(node: ast.AST) -> str | None:
    """The variable this expression reads: environ["X"], environ.get("X"), env.int("X"), _text(environ, "X")."""
    match node:
        case ast.Subscript(value=source, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
            return name if is_environ(source) else None
        case ast.Call(func=ast.Attribute(value=source, attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name if is_environ(source) else None
        case ast.Call(func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=str(name)), *_]):
            return name
        case ast.Call(func=ast.Attribute(attr="getenv"), args=[ast.Constant(value=str(name)), *_]):
            return name
        case ast.Call(args=[source, ast.Constant(value=str(name)), *_]):
            return name if is_environ(source) else None
    return None


def is_environ(node: ast.expr) -> bool:
    return ast.unparse(node) in ("environ", "os.environ")


def takes_request(function: ast.FunctionDef) -> bool:
    """WSGI calls a request's mapping `environ` too."""
    annotations = [argument.annotation for argument in function.args.args if argument.annotation]
    return any(ast.unparse(annotation) == "WSGIEnvironment" for annotation in annotations)


def span(node: ast.FunctionDef) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def test_the_example_environment_lists_every_variable_the_code_reads() -> None:
    known = documented()
    for name, place in variables_read().items():
        assert name in known, f"{place} reads {name}; .env.example does not list it"


def test_the_example_environment_lists_nothing_else() -> None:
    assert documented().keys() <= variables_read().keys()


def test_the_example_environment_shows_the_workers_real_defaults() -> None:
    of_worker = {name: value for name, value in documented().items() if name != "WORKER_TOKEN"}
    assert read_config({"WORKER_TOKEN": "x", **of_worker}) == read_config({"WORKER_TOKEN": "x"})


def test_the_example_environment_shows_the_controllers_real_numbers() -> None:
    shown = documented()
    for _path, tree in syntax_trees("bulktranscribe"):
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    args=[ast.Constant(value=str(name)), ast.Constant(value=int() | float() as default)]
                ):
                    if variable_of(node) and not isinstance(default, bool):
                        assert float(shown[name]) == default, f".env.example shows {name}={shown[name]}"


# Lengths -----------------------------------------------------------------------------------------


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in python_files()}
    too_long = [f"{path} has {n} lines: split it" for path, n in lengths.items() if n > MAX_FILE_LINES]
    assert not too_long


def test_no_function_is_longer_than_forty_lines() -> None:
    too_long = [
        f"{path}:{node.lineno} {node.name} has {len(span(node))} lines: split it"
        for path, tree in syntax_trees(*PACKAGES, "manage.py", "tests", "benchmarks")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and len(span(node)) > MAX_FUNCTION_LINES
    ]
    assert not too_long


# JavaScript --------------------------------------------------------------------------------------


def modules() -> dict[str, dict[str, Any]]:
    """Return what the syntax trees of our JavaScript say, by path: `lines`, `functions`, `imports`."""
    paths = [str(ROOT / path) for path in project_files() if path.suffix == ".js"]
    done = run_node(str(ROOT / "tests" / "js" / "syntax.js"), text=json.dumps(paths))
    assert done.returncode == 0, f"{done.stderr}\nmake install-dev brings what reads JavaScript"
    return {str(Path(path).relative_to(ROOT)): found for path, found in json.loads(done.stdout).items()}


def imported(importer: str, address: str) -> str:
    """Return the path of a module that another one imports by a relative address; "" for what comes from npm.

    The folders `static/` of all packages are served as one.
    """
    if not address.startswith("."):
        return ""
    package, served = importer.split("/static/") if "/static/" in importer else ("", importer)
    target = normpath(str(PurePosixPath(served).parent / address))
    if target.startswith("npm/"):
        return ""
    return f"{target.split('/')[0]}/static/{target}" if package else target


def test_the_lengths_of_python_hold_for_javascript_too() -> None:
    found = modules()
    too_long = [
        f"{path} has {module['lines']} lines"
        for path, module in found.items()
        if module["lines"] > MAX_FILE_LINES
    ]
    too_long += [
        f"{path}:{function['line']} {function['name']} has {function['lines']} lines"
        for path, module in found.items()
        for function in module["functions"]
        if function["lines"] > MAX_FUNCTION_LINES
    ]
    assert len(found) > 50 and not too_long, "split them"


def test_no_javascript_is_imported_in_a_circle_or_from_nowhere() -> None:
    graph = {
        path: [target for address in module["imports"] if (target := imported(path, address))]
        for path, module in modules().items()
    }
    assert not [
        (path, target) for path, targets in graph.items() for target in targets if target not in graph
    ]
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as circle:
        pytest.fail(f"imported in a circle: {' → '.join(circle.args[1])}")


# Who knows whom ----------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["shared.protocol", "shared.transcript", "shared.decoding", "__main__"])
def test_what_the_web_processes_import_of_the_worker_brings_no_torch_and_no_django(module: str) -> None:
    program = f"import sys, gpu_worker.{module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"torch", "whisper", "numpy", "av", "django", "celery"}
    assert not loaded & (set(PACKAGES) - {"gpu_worker"})


def test_what_both_sides_share_imports_nothing_of_the_rest() -> None:
    """The controller has gpu_worker/shared alone; import-linter cannot say "all of gpu_worker but this"."""
    found = [one for one in imports(ROOT, PACKAGES) if within_shared(one.module)]
    assert found
    assert not [str(one) for one in found if not within_shared(one.imported)]


def within_shared(module: str) -> bool:
    return f"{module}.".startswith("gpu_worker.shared.")


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Also not for their types alone, or at the last moment in a function: each can be read without the other."""
    found = imports(ROOT, PACKAGES)
    told = ["\n".join(map(str, within(found, circle))) for circle in circles(found)]
    assert not told, "\n\n".join(told)


@pytest.mark.parametrize(
    "text",
    [
        "import house.two",
        "from house import two",
        "from . import two",
        "from .two import Two",
        "if TYPE_CHECKING:\n    from house.two import Two",
        "def late():\n    if True:\n        from house import two",
    ],
)
def test_a_circle_is_found_wherever_its_imports_stand(text: str, tmp_path: Path) -> None:
    house = tmp_path / "house"
    house.mkdir()
    for name, content in {"__init__": "", "one": text, "two": "import house.three", "three": ""}.items():
        (house / f"{name}.py").write_text(content)
    assert circles(imports(tmp_path, ["house"])) == []
    (house / "three.py").write_text("from house.one import late")
    assert circles(imports(tmp_path, ["house"])) == [["house.one", "house.three", "house.two"]]


def test_nobody_elses_code_is_copied_into_the_tree() -> None:
    for path in project_files():
        assert not FOREIGN_FOLDERS & set(path.parts[:-1]), f"{path} looks like third-party code"
        assert ".min." not in path.name, f"{path} looks like third-party code"


# Pages -------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors that the page's headings make, as code forges do."""
    headings = re.findall(r"^#+ (.+)$", unescape(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_between_pages_leads_somewhere() -> None:
    for path in (path for path in project_files() if path.suffix == ".md"):
        page = ROOT / path
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if target.startswith(("http://", "https://")):
                continue
            file, _, anchor = target.partition("#")
            place = page.parent / file if file else page
            assert place.exists(), f"{path} links to {target}, which does not exist"
            assert not anchor or anchor in anchors(place), f"{path} links to {target}: no such heading"


def test_every_module_that_a_page_names_exists() -> None:
    """Decisions tell what was true on their day; CHANGELOG.md too."""
    files = [str(path) for path in project_files()]
    pages = [path for path in files if path.endswith(".md") and "/decisions/" not in path]
    for page in set(pages) - {"CHANGELOG.md"}:
        for name in re.findall(r"`([\w./-]+\.(?:py|js))\b", (ROOT / page).read_text()):
            assert any(f"/{file}".endswith(f"/{name}") for file in files), (
                f"{page} names {name}: no such file"
            )


def test_the_readme_fits_on_two_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
