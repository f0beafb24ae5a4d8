"""What comes in: files and folders in pieces, whatever breaks in between, and what became of each."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.installation import Installation
from tests.browser.person import NOT_SOUND, Person, file, silence
from tests.jobs.media.test_audio_analysis import tone

pytestmark = pytest.mark.browser
MIB = 1 << 20
SLOW_MS = 60_000
FILES = int(os.environ.get("BULK_FILES", "60"))  # of the folder that is dropped; 300 by hand


def verdict(person: Person, name: str) -> Locator:
    return person.page.locator("verdict-table tr").filter(has=person.page.get_by_text(name, exact=True))


def transfer(person: Person, name: str) -> Locator:
    return person.page.locator(".transfer").filter(has=person.page.get_by_text(name, exact=True))


def test_a_table_says_what_became_of_each_file(person: Person, troubles: list[str]) -> None:
    person.upload(file("mill.wav", tone(0.5)))
    person.choose(
        file("loud.wav", tone(0.6)),
        file("copy of mill.wav", tone(0.5)),
        file("empty.wav", b""),
        file("text.mp3", NOT_SOUND),
        file("silence.wav", silence(2)),
    )
    expect(verdict(person, "empty.wav")).to_contain_text("This file is empty.")
    expect(verdict(person, "text.mp3")).to_contain_text("is not a readable recording")
    expect(verdict(person, "silence.wav")).to_contain_text("This recording is silent")
    for fact in ("0:01", "pcm_s16le · mono", "Accepted"):
        expect(verdict(person, "loud.wav")).to_contain_text(fact)
    twin = verdict(person, "copy of mill.wav")
    expect(twin).to_contain_text("Duplicate of \u2068mill.wav\u2069")
    expect(person.page.locator("verdict-table caption")).to_have_text(
        "5 files: 1 accepted, 1 already here, 1 silent, 1 without readable audio, 1 rejected"
    )
    for name, chosen in {"loud.wav": True, "text.mp3": False, "silence.wav": False}.items():
        expect(person.new_file(name).get_by_role("checkbox")).to_be_checked(checked=chosen)
    expect(person.new_file("text.mp3")).to_contain_text("is not a readable recording")
    person.page.reload()
    expect(verdict(person, "empty.wav")).to_contain_text("This file is empty.")
    twin.get_by_role("button", name="Keep anyway").click()
    expect(twin).to_contain_text("Accepted")
    expect(person.new_file("copy of mill.wav").get_by_role("checkbox")).to_be_checked()
    expect(person.new_file("silence.wav").get_by_role("checkbox")).not_to_be_checked()
    person.page.get_by_role("button", name="Close list").click()
    expect(person.page.locator("verdict-table")).to_be_hidden()
    assert ["400" in trouble for trouble in troubles] == [True]
    troubles.clear()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of five pieces, once a break has made pieces small."""
    path = tmp_path_factory.mktemp("large") / "long interview.wav"
    path.write_bytes(silence(5 * MIB / 32_000))
    return path


class Pieces:
    """Notes where each piece begins that arrives; the first is broken off, then all from `until` on."""

    def __init__(self, page: Page, until: int = 1 << 40) -> None:
        self.offsets: list[int] = []
        self.until = until
        self.is_whole = True
        page.route("**/api/incoming/*", self.handle)

    def handle(self, route: Route) -> None:
        offset = int(route.request.headers.get("upload-offset", "-1"))
        if offset >= self.until or (offset == 0 and self.is_whole):
            self.is_whole = False
            route.abort()
            return
        if offset >= 0:
            self.offsets.append(offset)
        route.continue_()


def break_off(person: Person, large: Path) -> Pieces:
    """Send the file until two pieces of it have arrived."""
    pieces = Pieces(person.page, until=2 * MIB)
    person.choose(large)
    expect(transfer(person, large.name)).to_contain_text(
        "39% · the server is not responding", timeout=SLOW_MS
    )
    assert pieces.offsets == [0, MIB]
    return pieces


def test_a_reload_in_the_middle_of_a_file_goes_on_where_it_was(
    person: Person, large: Path, troubles: list[str]
) -> None:
    pieces = break_off(person, large)
    person.page.reload()
    expect(transfer(person, large.name)).to_contain_text(
        "Interrupted at 39%: choose the file again to resume"
    )
    expect(person.page.get_by_text("Some uploads were interrupted.")).to_be_visible()
    pieces.until = 1 << 40
    person.choose(large)
    expect(verdict(person, large.name)).to_contain_text("This recording is silent", timeout=SLOW_MS)
    assert pieces.offsets == [0, MIB, 2 * MIB]
    assert all("ERR_FAILED" in trouble for trouble in troubles)
    troubles.clear()


@pytest.mark.smoke
def test_a_file_is_paused_continued_and_removed(person: Person, large: Path, troubles: list[str]) -> None:
    pieces = break_off(person, large)
    row = transfer(person, large.name)
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("Paused at 39%")
    pieces.until = 1 << 40
    row.get_by_role("button", name="Resume").focus()
    person.page.keyboard.press("Enter")
    expect(verdict(person, large.name)).to_be_visible(timeout=SLOW_MS)
    assert pieces.offsets == [number * MIB for number in range(6)]  # 44 bytes in the last
    pieces.until = 0
    person.choose(file("other.wav", tone(0.7)))
    transfer(person, "other.wav").get_by_role("button", name="Remove").click()
    expect(transfer(person, "other.wav")).to_have_count(0)
    expect(person.page.locator("input[name=files]")).to_be_focused()
    person.page.reload()
    expect(person.new_file(large.name)).to_be_visible()
    expect(transfer(person, "other.wav")).to_have_count(0)
    troubles.clear()  # what was cut off


def test_a_server_that_is_killed_and_started_again_goes_on(
    person: Person, large: Path, installation: Installation, troubles: list[str]
) -> None:
    pieces = break_off(person, large)
    installation.kill("serve")
    pieces.until = 1 << 40
    expect(verdict(person, large.name)).to_be_visible(timeout=SLOW_MS)
    assert {0, MIB} & set(pieces.offsets[2:]) == set()
    troubles.clear()  # what was cut off


def test_a_second_tab_waits_for_the_first(person: Person, large: Path, troubles: list[str]) -> None:
    break_off(person, large)
    other = Person(person.page.context.new_page(), person.url)
    is_free: list[bool] = []

    def answer(route: Route) -> None:
        locked = route.request.method == "HEAD" and not is_free
        route.fulfill(status=423, headers={"Tus-Resumable": "1.0.0"}) if locked else route.continue_()

    other.page.route("**/api/incoming/*", answer)
    other.page.goto(person.session_url)
    row = transfer(other, large.name)
    expect(row).to_contain_text("39% · being uploaded in another tab")
    expect(row.get_by_role("button", name="Remove")).to_be_hidden()
    expect(other.page.get_by_text("Some uploads were interrupted.")).to_be_hidden()
    expect(row).to_contain_text("Interrupted at 39%", timeout=SLOW_MS)
    expect(row.get_by_role("button", name="Remove")).to_be_visible()
    expect(other.page.get_by_text("Some uploads were interrupted.")).to_be_visible()
    other.choose(large)
    expect(row).to_contain_text("being uploaded in another tab; waiting")
    is_free.append(True)
    expect(verdict(other, large.name)).to_be_visible(timeout=SLOW_MS)
    person.page.unroute("**/api/incoming/*")
    expect(verdict(person, large.name)).to_be_visible(timeout=SLOW_MS)
    expect(person.new_file(large.name)).to_have_count(1)
    troubles.clear()  # what was cut off


def test_a_lost_connection_is_told_and_uploads_go_on_by_themselves(
    person: Person, troubles: list[str]
) -> None:
    page = person.page
    page.context.set_offline(True)
    person.choose(file("one.wav", silence(1)), file("two.wav", silence(1.5)))
    expect(page.get_by_text("the server is not responding; the upload resumes automatically")).to_have_count(
        2
    )
    assert page.evaluate("!dispatchEvent(new Event('beforeunload', { cancelable: true }))")
    expect(page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    page.context.set_offline(False)
    for name in ("one.wav", "two.wav"):
        expect(person.new_file(name)).to_be_visible()
    expect(page.get_by_text("Connection lost. Reconnecting…")).to_be_hidden()
    assert page.evaluate("dispatchEvent(new Event('beforeunload', { cancelable: true }))")
    assert all("ERR_INTERNET_DISCONNECTED" in trouble for trouble in troubles)
    troubles.clear()


def test_folders_are_dropped_with_all_that_is_in_them_but_what_cannot_be_read(person: Person) -> None:
    person.page.evaluate(
        """async () => {
          const fileEntry = (name) => ({
            name, isFile: true, file: (then) => then(new File([name], name)),
          });
          const gone = new DOMException("It is not there any more.", "NotFoundError");
          const lost = { name: "lost.wav", isFile: true, file: (then, fail) => fail(gone) };
          const folder = (name, batches) => ({
            name, isFile: false,
            createReader: () => ({ readEntries: (then) => then(batches.shift() ?? []) }),
          });
          const inner = folder("2019", [[fileEntry("b.wav")]]);
          const entry = folder("valley", [[fileEntry("a.wav"), lost, fileEntry(".DS_Store")], [inner]]);
          const drop = new Event("drop", { bubbles: true, cancelable: true });
          drop.dataTransfer = { types: ["Files"], items: [{ webkitGetAsEntry: () => entry }], files: [] };
          document.querySelector("upload-zone").dispatchEvent(drop);
        }"""
    )
    for name in ("a.wav", "b.wav"):
        expect(person.new_file(name)).to_be_visible()
    expect(person.page.get_by_text(".DS_Store")).to_have_count(0)
    expect(verdict(person, "lost.wav")).to_contain_text("This file could not be read from your disk.")
    expect(verdict(person, "lost.wav").locator("[data-field=folder]")).to_have_text("valley/")
    expect(verdict(person, "lost.wav").get_by_role("button")).to_have_count(0)


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation whose worker knows no speech and is quick."""
    folder = tmp_path_factory.mktemp("rehearsed")
    quick = {
        "WORKER_ENGINE": "rehearsal",
        "WORKER_REHEARSAL_SPEED": "1000",
        "WORKER_MAX_CONCURRENT_JOBS": "8",
        "REMOTE_WORKER_POLL_SECONDS": "0.5",
    }
    with Installation(folder, **quick) as running:
        yield running


def tree_of(folder: Path) -> dict[str, str]:
    """Lay FILES files in folders; return what those are that should not simply be accepted, by name."""
    names = ["مقابلة", "采访录音", "🎙 Gespräch", "интервью", "interview"]
    for number in range(FILES - 10):
        inner = folder / ("été 2019" if number % 2 else "2020/第二")
        inner.mkdir(parents=True, exist_ok=True)
        content = tone(0.1 + number / 400, rate=2000)
        (inner / f"{names[number % 5]} {number}.wav").write_bytes(content)
    odd = {
        "empty.wav": (b"", "This file is empty."),
        "text.mp3": (NOT_SOUND, "This file is not a readable recording."),
        "silent.wav": (silence(1), "This recording is silent."),
    }
    for name, (content, _) in odd.items():
        (folder / name).write_bytes(content)
    for number in range(7):
        twin = next(folder.glob(f"*/interview {5 * number + 4}.wav"), None)
        twin = twin or next(folder.glob(f"*/*/interview {5 * number + 4}.wav"))
        (folder / f"copy {number}.wav").write_bytes(twin.read_bytes())
    (folder / ".DS_Store").write_bytes(b"x")
    return {name: said for name, (_, said) in odd.items()}


def drop(page: Page, path: Path) -> None:
    """Drop a folder from outside of the browser."""
    box = page.locator(".drop-zone").bounding_box()
    assert box
    browser = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        where = {"x": box["x"] + 10, "y": box["y"] + 10}
        browser.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})


def test_all_files_of_a_folder_become_one_job(
    rehearsed: Installation, open_page: Callable[..., Page], tmp_path: Path, troubles: list[str]
) -> None:
    odd = tree_of(tmp_path / "valley")
    page = open_page()
    page.goto(rehearsed.sign_in_link())
    page.get_by_role("button", name="Sign in as owner").click()
    page.wait_for_url(f"{rehearsed.url}/")
    person = Person(page, rehearsed.url)
    person.new_session("Valley")
    drop(page, tmp_path / "valley")
    expect(page.locator("verdict-table caption")).to_have_text(
        f"{FILES} files: {FILES - 10} accepted, 7 already here, 1 silent, 1 without readable audio, 1 rejected",
        timeout=3 * SLOW_MS,
    )
    for name, said in odd.items():
        expect(verdict(person, name)).to_contain_text(said)
    row = verdict(person, "مقابلة 5.wav")
    expect(row.locator("[data-field=folder]")).to_have_text("valley/été 2019/")
    expect(verdict(person, "采访录音 6.wav").locator("[data-field=folder]")).to_have_text("valley/2020/第二/")
    page.get_by_role("button", name=f"Start transcribing {FILES - 10} files").click()
    expect(page.locator("[data-count=complete]")).to_have_text(
        f"{FILES - 10} transcribed", timeout=3 * SLOW_MS
    )
    troubles.clear()  # the browser tells of the empty file's 400
