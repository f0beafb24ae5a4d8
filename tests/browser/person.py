"""What a person does on the pages, in their words."""

import re
import wave
from io import BytesIO
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page, expect

JOB_SECONDS = 120.0
NOT_SOUND = b"This is a text, whatever its name says.\n" * 20


class Person:
    """One person at one page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.session_url = ""
        self.transcript_url = ""

    def new_session(self, name: str) -> None:
        self.page.goto(f"{self.url}/")
        self.page.get_by_label("New session").fill(name)
        self.page.get_by_role("button", name="Create session").click()
        self.page.wait_for_url("**/sessions/*/")
        self.session_url = self.page.url

    def upload(self, *files: Path | FilePayload) -> None:
        """Choose files and wait until each is in the list of new files."""
        self.choose(*files)
        for file in files:
            name = file.name if isinstance(file, Path) else file["name"]
            expect(self.new_file(name)).to_be_visible()

    def choose(self, *files: Path | FilePayload) -> None:
        """Choose them in one go: before the page is alive, a second choice would take the place of the first."""
        paths = [one for one in files if isinstance(one, Path)]
        if len(paths) < len(files):  # a browser takes paths or contents at once, not both
            chosen = [file(one.name, one.read_bytes()) if isinstance(one, Path) else one for one in files]
            self.page.locator("input[name=files]").set_input_files(chosen)
        else:
            self.page.locator("input[name=files]").set_input_files(paths)

    def start(self, model: str = "tiny.en", speakers: str = "auto") -> None:
        self.page.get_by_label("Model").select_option(model)
        self.page.get_by_label("Speakers", exact=True).select_option(speakers)
        for box in self.page.locator("[data-list=new] input").all():
            box.check()  # also what was found to be silent, or no recording
        self.page.get_by_role("button", name=re.compile("^Start transcribing")).click()
        expect(self.page.locator(".job").first).to_be_visible()

    def wait_ended(self) -> None:
        """Wait until no file of the newest job can be canceled any more: all have ended."""
        job = self.page.locator(".job").first
        expect(job.get_by_role("button", name="Cancel")).to_have_count(0, timeout=JOB_SECONDS * 1000)

    def new_file(self, name: str) -> Locator:
        return self.page.locator("[data-list=new] li").filter(has=self.page.get_by_text(name, exact=True))

    def row(self, name: str) -> Locator:
        """The row of a file in the newest job that has it."""
        return self.page.locator(".file").filter(has=self.page.get_by_text(name, exact=True)).first

    def tab_to(self, target: Locator, limit: int = 60) -> None:
        """Go there with the Tab key alone."""
        for _ in range(limit):
            if target.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {target}")


def file(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def other(recording: Path, number: int) -> bytes:
    """The same recording in other bytes, so that it is no duplicate: what follows the last page is not read."""
    return recording.read_bytes() + bytes(number)


def silence(seconds: float) -> bytes:
    """A WAV file in which nobody speaks."""
    target = BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(bytes(2 * int(16000 * seconds)))
    return target.getvalue()


def sound_of(page: Page) -> dict[str, float | bool]:
    """Where the player is, in seconds, and whether it plays."""
    state: dict[str, float | bool] = page.locator("audio").evaluate(
        "audio => ({ time: audio.currentTime, isPlaying: !audio.paused })"
    )
    return state
