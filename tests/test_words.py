"""Every word that people read can be translated: in templates, and in the pages' JavaScript."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MODULES = sorted(ROOT.glob("*/static/**/*.js"))
READ = ("aria-label", "aria-description", "placeholder", "title", "alt")  # attributes that are read to people
NAMES = ("Bulk", "Transcribe", "ms")  # the same in every language
MARKED = re.compile(
    r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}|{%\s*comment\b.*?{%\s*endcomment\s*%}"
    r"|{%.*?%}|{{.*?}}|{#.*?#}",
    re.DOTALL,
)
SAID = re.compile(
    r"\b(?:textContent|innerText|ariaLabel|title|placeholder|alt)\s*=\s*([\"'`])(?=[^\"'`$]*[^\W\d_]{2})"
)


class Words(HTMLParser):
    """What of a page people read and nobody can translate."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.found += [value for name, value in attrs if name in READ and value and has_words(value)]

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style") and has_words(data):
            self.found.append(data.strip())


def has_words(text: str) -> bool:
    return any(word not in NAMES for word in re.findall(r"[^\W\d_]{2,}", text))


def untranslated(template: str) -> list[str]:
    words = Words()
    words.feed(MARKED.sub("", template))
    return words.found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_every_word_of_a_template_can_be_translated(path: Path) -> None:
    assert not untranslated(path.read_text())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_modules_take_their_words_from_the_page(path: Path) -> None:
    said = [line.strip() for line in path.read_text().splitlines() if SAID.search(line)]
    assert not said, f"{path.name}: put these into a template with data-word"


def test_words_that_nobody_marked_are_found() -> None:
    page = '<p>{% translate "Play" %} {{ name }} · 1×</p><p title="{% translate "Stop" %}">Wait</p>'
    assert untranslated(page) == ["Wait"]
    assert untranslated('<input placeholder="Your name">{# a note #}') == ["Your name"]
    assert not untranslated("{% blocktranslate %}model {{ model }}{% endblocktranslate %}")
    assert SAID.search('button.title = "Play from here";') and not SAID.search("button.title = `${at} ×`;")
