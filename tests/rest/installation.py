"""An installation with the rehearsal engine and a token, as a program meets it."""

import re
from pathlib import Path
from typing import Any

import requests

from tests.contract.installation import Installation
from tests.contract.media import demo

SCOPES = ("read", "upload", "jobs", "edit", "delete")


class Served(Installation):
    """Its worker makes words up at once; its files are few and small."""

    def __init__(self, folder: Path) -> None:
        small = {"MAX_UPLOAD_MB": "5", "MIN_FREE_DISK_MB": "0", "SOUND_SECONDS": "0"}
        super().__init__(folder, **small)
        self.worker_env |= {"WORKER_ENGINE": "rehearsal", "WORKER_REHEARSAL_SPEED": "1000"}
        self.secret = ""
        self.program = requests.Session()  # keeps its connection

    def __enter__(self) -> "Served":
        super().__enter__()
        self.secret = self.new_token()
        return self

    def new_token(self) -> str:
        """Make a token as a person does, on the page."""
        form = {"name": "Tests", "scopes": SCOPES, "session": "", "days": "7"}
        form["csrfmiddlewaretoken"] = self.browser.cookies.get("csrftoken") or ""
        page = self.browser.post(f"{self.url}/settings/tokens/", data=form, timeout=30)
        found = re.search(r'value="(bt_[^"]+)"', page.text)
        assert found, page.text
        return found[1]

    def call(self, method: str, path: str, **content: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.secret}", **content.pop("headers", {})}
        return self.program.request(method, self.url + path, headers=headers, timeout=30, **content)

    def transcribed(self) -> dict[str, str]:
        """Have the demo recording transcribed; return the ids of all that is there then, by kind."""
        session = self.new_session()
        upload = self.upload(session, {"demo.ogg": demo()})["uploads"][0]["id"]
        job = self.wait_job(self.start_job(session, [{"id": upload}]), 60)
        done = job["inputs"][0]
        assert done["status"] == "complete", done
        found = {"sessions": session, "uploads": upload, "jobs": job["id"]}
        return {**found, "inputs": done["id"], "transcripts": done["id"]}
