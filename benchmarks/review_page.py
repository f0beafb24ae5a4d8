"""How the review page bears ten hours of talk: `python -m benchmarks.review_page`. Prints figures, judges nothing.

A transcript of 12,000 segments (100,000 words, 4 speakers, 1,500 flags) and one of five minutes lie in an installation
of their own; headless Chromium opens both, types, splits, scrolls. Beside each figure stands the wanted one.
"""

import argparse
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.long_transcript import make_transcript, running_stack
from benchmarks.responses import ninety_fifth, noise, prepare_environment
from tests.browser.conftest import FLAGS, NAMES

if TYPE_CHECKING:
    from jobs.models import Session

LONG, SHORT = 600, 5  # minutes
TYPING_MS = 80  # between two keys: 12 a second
PATIENCE_MS = 60_000
WATCH = """count => {
  const since = (window.since = {});
  const note = (name, isSo) => { if (isSo && !(name in since)) since[name] = performance.now(); };
  const look = () => {
    note("rows", document.querySelector(".said")?.textContent.trim());
    note("ready", document.querySelector("[data-field=saving]")?.textContent === "Saved");
    note("whole", document.getElementsByClassName("segment").length === count);
    if (!("whole" in since && "ready" in since)) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  window.echoes = [];
  addEventListener("keydown", ({ timeStamp, key }) => {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel(); // heard after the frame is drawn
      port1.onmessage = () => echoes.push(performance.now() - timeStamp);
      port2.postMessage(key);
    });
  }, true);
  window.blocked = [];
  new PerformanceObserver((list) => blocked.push(...list.getEntries().map((entry) => entry.duration)))
    .observe({ type: "longtask", buffered: true });
}"""
SCROLL = """([distance, ms]) => new Promise((resolve) => {
  const frames = [], from = scrollY, started = performance.now();
  let last = started;
  const step = (now) => {
    frames.push(now - last);
    last = now;
    if (now - started > ms) return resolve(frames.slice(1));
    scrollTo({ top: from + (distance * (now - started)) / ms, behavior: "instant" });
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
SENT = """() => performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/edits"))
  .map(({ startTime, requestStart, responseStart, responseEnd }) =>
    [responseEnd - startTime, responseStart - requestStart])"""
LOADED = """url => { const { duration, responseStart, requestStart, transferSize, decodedBodySize } =
  performance.getEntriesByName(new URL(url, location).href)[0];
  return { duration, server: responseStart - requestStart, transferSize, decodedBodySize }; }"""


@dataclass(frozen=True)
class Talk:
    """A transcript to open: its page, its state in the API, its number of segments."""

    url: str
    api: str
    count: int


@dataclass
class Figures:
    """What was measured of one transcript: name → values."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, *values: float) -> None:
        self.values.setdefault(name, []).extend(values)


# name → (unit, what of the values is shown, wanted)
WANTED: dict[str, tuple[str, str, str]] = {
    "first contentful paint": ("ms", "worst", "≤ 1000"),
    "text of the first rows visible": ("ms", "worst", "≤ 1000"),
    "can be edited (“Saved”)": ("ms", "worst", ""),
    "every row drawn": ("ms", "worst", ""),
    "state: from asking to all there": ("ms", "worst", ""),
    "state: server alone": ("ms", "worst", ""),
    "state: on the wire": ("MB", "worst", ""),
    "state: unpacked": ("MB", "worst", ""),
    "longest task while loading": ("ms", "worst", ""),
    "typing, key to frame": ("ms", "95 %", "≤ 50"),
    "typing in the merged view, key to frame": ("ms", "95 %", "≤ 50"),
    "split, key to frame": ("ms", "95 %", "≤ 50"),
    "merge, key to frame": ("ms", "95 %", "≤ 50"),
    "speaker, key to frame": ("ms", "95 %", "≤ 50"),
    "edit, sent to acknowledged": ("ms", "95 %", "≤ 100"),
    "edit, server alone": ("ms", "95 %", "≤ 100"),
    "scrolling 2 windows a second, frame": ("ms", "95 %", "≤ 34"),
    "the whole in 30 s, frame": ("ms", "95 %", ""),
    "worst frame while scrolling": ("ms", "worst", ""),
    "find a word near the end": ("ms", "worst", ""),
    "JavaScript heap": ("MB", "worst", ""),
    "nodes": ("", "worst", ""),
    "memory of the page's process, its own": ("MB", "worst", "≤ 300"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=LONG, help="of the long transcript")
    parser.add_argument("--visits", type=int, default=5, help="with an empty cache")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bulktranscribe-bench-") as folder:
        prepare_environment(Path(folder))
        with running_stack() as session:
            talks = [talk(session, minutes, Path(folder)) for minutes in (options.minutes, SHORT)]
            with browser(new_link()) as (chromium, signed_in):
                columns = [measure(chromium, signed_in, each, options.visits) for each in talks]
    show(*columns, options.minutes)


def talk(session: "Session", minutes: int, folder: Path) -> Talk:
    from django.conf import settings
    from django.urls import reverse

    transcript = make_transcript(session, minutes, folder)
    path, api = (reverse(name, args=[transcript.pk]) for name in ("transcript", "api-1:api-transcript"))
    return Talk(settings.LOCAL_CONTROLLER_URL + path, api, transcript.segments.count())


def new_link() -> str:
    from bulktranscribe.sign_in import make_owner, sign_in_link

    return sign_in_link(make_owner())


@contextmanager
def browser(link: str) -> Iterator[tuple[Browser, Any]]:
    """Chromium, and the cookies of somebody who has signed in."""
    path = next(found for name in NAMES if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        context = chromium.new_context()
        page = context.new_page()
        page.goto(link)
        page.get_by_role("button", name=re.compile("Sign in as")).click()
        page.wait_for_url("**/")
        yield chromium, context.storage_state()
        chromium.close()


def measure(chromium: Browser, signed_in: Any, talk: Talk, visits: int) -> Figures:
    found = Figures()
    for number in range(visits):
        context = chromium.new_context(storage_state=signed_in, viewport={"width": 1440, "height": 900})
        page = visit(context, talk, found)
        if number == visits - 1:
            measure_memory(chromium, page, found)
            measure_scrolling(page, found)
            measure_find(page, talk.count, found)
            measure_typing(page, talk.count // 2, found)
            measure_keys(page, talk.count // 2, found)
            page.get_by_label("Merged view").check()
            measure_typing(page, talk.count * 2 // 3, found, "typing in the merged view, key to frame")
            sent = page.evaluate(SENT)
            found.add("edit, sent to acknowledged", *(all_of for all_of, _ in sent))
            found.add("edit, server alone", *(server for _, server in sent))
        context.close()
    return found


def visit(context: BrowserContext, talk: Talk, found: Figures) -> Page:
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(f"({WATCH})({talk.count})")
    page.goto(talk.url)
    page.wait_for_function("() => 'whole' in since && 'ready' in since")
    since = page.evaluate("since")
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    state = page.evaluate(LOADED, talk.api)
    page.wait_for_timeout(1500)  # what is put off until later has had its turn
    found.add("first contentful paint", painted)
    found.add("text of the first rows visible", since["rows"])
    found.add("can be edited (“Saved”)", since["ready"])
    found.add("every row drawn", since["whole"])
    found.add("state: from asking to all there", state["duration"])
    found.add("state: server alone", state["server"])
    found.add("state: on the wire", state["transferSize"] / 1e6)
    found.add("state: unpacked", state["decodedBodySize"] / 1e6)
    found.add("longest task while loading", max(page.evaluate("blocked"), default=0.0))
    return page


def measure_memory(chromium: Browser, page: Page, found: Figures) -> None:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    found.add("JavaScript heap", metrics["JSHeapUsedSize"] / 1e6)
    found.add("nodes", session.send("Memory.getDOMCounters")["nodes"])
    processes = chromium.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    own = [private_mb(one["id"]) for one in processes if one["type"] == "renderer"]
    found.add("memory of the page's process, its own", max(own))


def private_mb(pid: int) -> float:
    """What nobody shares with the process."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(size) for size in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.MULTILINE)) / 1000


def measure_scrolling(page: Page, found: Figures) -> None:
    page.evaluate("scrollTo(0, 0)")
    slow = page.evaluate(SCROLL, [2 * 900 * 10, 10_000])
    page.evaluate("scrollTo(0, 0)")
    height = page.evaluate("document.documentElement.scrollHeight")
    fast = page.evaluate(SCROLL, [height, 30_000])
    found.add("scrolling 2 windows a second, frame", *slow)
    found.add("the whole in 30 s, frame", *fast)
    found.add("worst frame while scrolling", max(slow + fast))


def measure_find(page: Page, count: int, found: Figures) -> None:
    started = time.perf_counter()
    assert page.evaluate("text => window.find(text)", f"place{count - 3}"), "the browser's find misses a word"
    found.add("find a word near the end", 1000 * (time.perf_counter() - started))


def caret_in(page: Page, number: int) -> None:
    page.evaluate(f"document.querySelectorAll('.said')[{number}].scrollIntoView({{ block: 'center' }})")
    page.wait_for_timeout(300)
    page.locator(".said").nth(number).click()
    page.keyboard.press("Home")


def measure_typing(page: Page, number: int, found: Figures, name: str = "typing, key to frame") -> None:
    caret_in(page, number)
    page.evaluate("echoes.length = 0")
    page.keyboard.type("and then he said so " * 10, delay=TYPING_MS)
    page.wait_for_timeout(1500)
    found.add(name, *page.evaluate("echoes"))


def measure_keys(page: Page, number: int, found: Figures) -> None:
    """Split in the middle, merge again, give the segment to somebody: twenty times."""
    caret_in(page, number)
    for turn in range(20):
        page.keyboard.press("ArrowRight")
        for name, key in (("split", "Enter"), ("merge", "Backspace"), ("speaker", f"Alt+{1 + turn % 4}")):
            page.evaluate("echoes.length = 0")
            page.keyboard.press(key)
            page.wait_for_timeout(500)
            found.add(f"{name}, key to frame", page.evaluate("echoes.at(-1)"))


def show(long: Figures, short: Figures, minutes: int) -> None:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"\n{os.cpu_count()} cores, load average {load}; {noise().text().strip()} ms\n")
    print(f"{'':50} {'times':>5} {f'{minutes} min':>10} {f'{SHORT} min':>10} {'ratio':>7} {'wanted':>9}")
    for name, (unit, what, wanted) in WANTED.items():
        values, others = long.values[name], short.values[name]
        one, other = summary(values, what), summary(others, what)
        ratio = f"{one / other:7.1f}" if other else ""
        shown = f"{name} ({what})" if len(values) > 1 else name
        print(f"{shown:50} {len(values):5} {one:7.1f} {unit:2} {other:7.1f} {unit:2} {ratio} {wanted:>9}")


def summary(values: Sequence[float], what: str) -> float:
    return ninety_fifth(list(values)) if what == "95 %" else max(values)


if __name__ == "__main__":
    main()
