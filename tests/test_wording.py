"""Texts for people use the words of the glossary in CONTRIBUTING.md, in American English."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PACKAGES = ("bulktranscribe", "gpu_worker", "jobs", "remoteworker", "review")
MODULES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
]
PAGES = sorted(
    path
    for pattern in (
        "*.md",
        "docs/*.md",
        "docs/decisions/*.md",
        "tests/golden/*.md",
        "bulktranscribe/demo/*.md",
    )
    for path in ROOT.glob(pattern)
)
IZE = "recogn|organ|normal|initial|minim|maxim|optim|serial|synchron|summar|priorit|memor|general|character|real"
BRITISH = {
    r"\w*(?:colour|honour|favour|behaviour|neighbour)\w*": "American spelling: -or",
    r"(?:un|re|de)?(?:cancell|travell|labell|modell|signall|journall)(?:ed|ing|er)": "American spelling: one l",
    rf"(?:un|re|de)?(?:{IZE})is(?:e|ed|es|ing|er|ation)": "American spelling: -ize",
    r"analys(?:e|ed|ing)": "American spelling: -yze",
    r"centred?|metres?|licences?|catalogues?|grey|whilst|amongst|learnt|spelt": "American spelling",
}
BANNED = BRITISH | {
    r"e-mails?": "email",
    r"for ever": "forever",
    r"passages?": "segment",
    r"stretch(?:es)?": "segment",
    r"doubtful(?: places?)?": "flagged, uncertain",
    r"revisions?": "version",
    r"tries|(?:a|another|next|this|every|each|latest|which) try|try \{?n\b": "attempt",
    r"hand(?:s|ed|ing)?[ -](?:it |them |files |a file )?over": "dispatch",
    r"giv(?:e|es|en|ing) (?:it )?up|gave up": "fail, expire, cancel",
    r"(?:tell|tells|told|telling) (?:speakers |them )?apart": "identify speakers",
    r"whoever|somebody|anybody": "someone, or name who it is",
    r"br(?:ing|ings|inging|ought) (?:\w+ )?back": "restore",
    r"(?:tak(?:e|es|en|ing)|took) (?:it |that )?(?:back|away)": "undo, withdraw",
    r"for good": "permanently",
    r"out of sight": "moves to Trash",
    r"go(?:es)? on": "continue, resume",
    r"waiting its turn|whose turn": "queued",
    r"br(?:oken|oke|eaks?) off": "interrupted",
    r"at work": "in progress",
    r"where (?:it|they|a file|a job) stands?|as (?:it|they) stands?": "status, current",
    r"how far (?:it|they|a file) (?:is|are|has)": "progress",
    r"is no (?:address|folder|id|number|Bulk)": "is not a …, Invalid …",
    r"(?:take|takes) away": "uncheck",
    r"used up|too old": "expired",
    r"sounds?": "audio",
    r"verdicts?": "result",
    r"(?:does|did|do) not answer|answers? (?:\d|that)|no answer": "respond, response, return",
    r"(?:is|are) gone": "was deleted, is missing",
    r"left out": "default, omitted",
    r"(?:find|found|is|are) like that|no such": "not found, no matching",
    r"all places are taken": "worker is at capacity",
    r"machine(?:'s|’s) text": "machine transcript",
    r"rare words": "vocabulary",
    r"uploads in pieces": "resumable uploads",
    r"let go of": "close, release",
    r"is it well|are they well": "health checks",
    r"may not do": "permission denied",
    r"this box|the box|a box": "worker, machine",
}
SPACED = re.compile(r"\w …|[\d}] %(?![({])")
CODE = re.compile(
    r"```.*?```|`[^`]*`|<code>.*?</code>|https?://\S+|[\w./-]+\.(?:md|py|html)\b|/api/\S+", re.DOTALL
)
SAID = re.compile(r"""\btranslate\s*("[^"]*"|'[^']*')|\b_\(("[^"]*"|'[^']*')\)""")
BLOCK = re.compile(r"{%\s*blocktrans\w*\b[^%]*%}(.*?){%\s*endblocktrans\w*\s*%}", re.DOTALL)
MARKUP = re.compile(r"{%.*?%}|<[^>]*>", re.DOTALL)


def texts_of_template(source: str) -> Iterator[str]:
    """Yield what people read of a template, including the words for JavaScript."""
    for double, single in SAID.findall(source):
        yield (double or single)[1:-1]
    for block in BLOCK.findall(source):
        yield MARKUP.sub(" ", CODE.sub(" ", block))


def texts_of_module(source: str) -> Iterator[str]:
    """Yield the sentences in a module: every string of several words that is not a docstring."""
    tree, parts = ast.parse(source), set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            parts.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            parts.update(id(part) for part in ast.walk(node) if part is not node)
    for node in ast.walk(tree):
        if id(node) in parts:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.value


def texts_of_api(value: Any) -> Iterator[str]:
    """Yield the summaries, descriptions, and tags of the API document."""
    if isinstance(value, dict):
        for key, entry in value.items():
            if key in ("summary", "description") and isinstance(entry, str):
                yield entry
            elif key == "tags":
                yield from entry
            else:
                yield from texts_of_api(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from texts_of_api(entry)


def offenses(text: str, banned: dict[str, str] = BANNED) -> list[str]:
    """Return what a text must not say, each with what to write instead."""
    plain = CODE.sub(" ", text)
    found = [
        f"{match.group()!r} in {text[:200]!r}: {better}"
        for pattern, better in banned.items()
        for match in re.finditer(rf"(?i)\b(?:{pattern})\b", plain)
    ]
    return found + [f"a space before … or % in {text[:200]!r}" for _ in SPACED.findall(plain)]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_templates_use_the_words_of_the_glossary(path: Path) -> None:
    assert not [wrong for text in texts_of_template(path.read_text()) for wrong in offenses(text)]


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_messages_help_and_errors_use_the_words_of_the_glossary(path: Path) -> None:
    assert not [wrong for text in texts_of_module(path.read_text()) for wrong in offenses(text)]


def test_the_api_document_uses_the_words_of_the_glossary() -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert not [wrong for text in texts_of_api(document) for wrong in offenses(text)]


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_pages_for_people_are_in_american_spelling(path: Path) -> None:
    assert not offenses(path.read_text(), BRITISH | {r"e-mails?": "email"})


def test_every_word_that_the_glossary_rules_out_is_rejected() -> None:
    rows = re.findall(r"^\| .* \| .* \| (.+) \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    words = [word for row in rows for word in re.findall(r"`([^`]+)`", row)]
    assert len(words) > 15
    assert not [word for word in words if not offenses(word)]


def test_bad_wording_is_found() -> None:
    template = """{% translate "Tell speakers apart" %} <p title="{% translate 'The colour' %}">
        {% blocktranslate with n=1 %}{{ n }} passage{% endblocktranslate %}"""
    assert len([wrong for text in texts_of_template(template) for wrong in offenses(text)]) == 3
    module = (
        '"""Somebody."""\nraise Refused(f"{name} is no folder.")\nparser.add_argument(help="at work now")\n'
    )
    assert [wrong.split(" in ")[0] for text in texts_of_module(module) for wrong in offenses(text)] == [
        "'is no folder'",
        "'at work'",
    ]
    assert offenses("{percent} %") and offenses("Loading …")
    assert not offenses("The file is no longer on the disk. `colour` stays in https://x/colour")
