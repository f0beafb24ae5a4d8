"""A person with many recordings: uploads, starts, cancels, retries, and tries again whatever the weather."""

import random
import threading
import time
from typing import Any

import requests

from tests.chaos.stage import Stage, tone

CANCELED_SHARE = 0.1
TRANSIENT = (
    requests.RequestException,
    AssertionError,
    ValueError,
    KeyError,
)  # the web process may just be dead


class Person:
    """Brings `count` recordings, each of a length of its own, by which its transcript is known again."""

    def __init__(self, stage: Stage, count: int, seed: int, longest: float) -> None:
        self.stage = stage
        self.chance = random.Random(seed)
        self.lengths = {f"file-{n:03}.wav": round(0.5 + longest * n / count, 3) for n in range(count)}
        self.to_cancel = {name for name in self.lengths if self.chance.random() < CANCELED_SHARE}
        self.session = stage.new_session("Chaos")
        self.rows: dict[str, dict[str, Any]] = {}
        self.retries = self.refusals = self.went_back = 0
        self.canceled: set[str] = set()
        self.given_up = threading.Event()

    def bring_all(self) -> None:
        """Upload and start everything, one job a file; ends once the page shows every one of them."""
        for name, length in self.lengths.items():
            while not self.given_up.is_set() and not self._bring(name, length):
                self.refusals += 1
                time.sleep(0.3)

    def _bring(self, name: str, length: float) -> bool:
        """One try; whatever was lost on the way is looked up first, so that nothing is brought twice."""
        try:
            state = self._page(q=name)
            uploads = [row for row in state["uploads"] if row["name"] == name]
            if any(row["name"] == name for job in state["jobs"] for row in job["inputs"]):
                return True
            if not uploads:
                uploads = self.stage.upload(self.session, {name: tone(length)})["uploads"]
            self.stage.start_job(self.session, uploads[:1])
        except TRANSIENT:
            return False
        return True

    def look(self) -> bool:
        """Read the page, press what a person would press; return whether all have ended.

        Everything is read only where nothing waits, runs or has failed: to read it all through the whole storm would
        be most of what the web process does.
        """
        try:
            rows = [*self._files("failed"), *self._files("active")]
            if not rows:
                self.look_at_all()
        except TRANSIENT:
            return False
        for row in rows:
            self._note(row)
            self._act(row)
        return not rows and self.is_done()

    def look_at_all(self) -> None:
        """Read where every file stands. Raises what the web process's death looks like from here."""
        for row in self._files("all"):
            self._note(row)

    def is_done(self) -> bool:
        return len(self.rows) == len(self.lengths) and all(
            row["status"] in ("complete", "canceled") for row in self.rows.values()
        )

    def _note(self, row: dict[str, Any]) -> None:
        before = self.rows.get(row["name"])
        if before and before["status"] == row["status"] == "running" and before["attempt"] == row["attempt"]:
            self.went_back += row["percent"] < before["percent"]
        self.rows[row["name"]] = row

    def _act(self, row: dict[str, Any]) -> None:
        name = row["name"]
        if row["status"] == "failed":
            self.retries += 1
            for _ in range(self.chance.choice((1, 2))):  # some people click twice
                self._press(f"/api/inputs/{row['id']}/retry")
        elif name in self.to_cancel and row["canCancel"] and self.chance.random() < 0.2:
            self._cancel(name, f"/api/inputs/{row['id']}/cancel")

    def _cancel(self, name: str, path: str) -> None:
        if self._press(path) == 200:
            self.canceled.add(name)

    def _press(self, path: str) -> int:
        headers = {"X-CSRFToken": self.stage.browser.cookies.get("csrftoken") or ""}
        try:
            return self.stage.browser.post(self.stage.url + path, headers=headers, timeout=10).status_code
        except requests.RequestException:
            return 0

    def _files(self, show: str) -> list[dict[str, Any]]:
        """The files of a kind, on all of its pages."""
        first = self._page(show=show)
        others = [self._page(show=show, page=number) for number in range(2, first["list"]["pages"] + 1)]
        return [row for page in (first, *others) for job in page["jobs"] for row in job["inputs"]]

    def _page(self, **chosen: str | int) -> dict[str, Any]:
        url = f"{self.stage.url}/api/sessions/{self.session}/state"
        answer = self.stage.browser.get(url, params=chosen, timeout=10)
        answer.raise_for_status()
        state: dict[str, Any] = answer.json()
        return state

    def wrong(self) -> list[str]:
        """The files whose transcript is of another recording, or that were canceled and have one."""
        found = []
        for name, row in self.rows.items():
            if row["status"] == "complete":
                document = self.stage.get(f"{row['transcriptUrl']}download.json")
                if abs(document["duration"] - self.lengths[name]) > 0.002 or not document["segments"]:
                    found.append(f"{name}: a transcript of {document['duration']} s")
            if name in self.canceled and row["status"] != "canceled":
                found.append(f"{name} was canceled and is {row['status']}")
        return found
