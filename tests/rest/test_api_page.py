"""docs/api.md: its commands, run in bash one after the other, as somebody does who reads it."""

import json
import os
import re
import subprocess
from pathlib import Path

from jobs.models import Scope
from tests.contract.installation import REPOSITORY
from tests.contract.media import DEMO
from tests.rest.installation import Served

PAGE = (REPOSITORY / "docs" / "api.md").read_text()
COMMANDS = re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_commands_of_the_page_lead_from_a_recording_to_its_transcript(
    served: Served, tmp_path: Path
) -> None:
    variables = {"URL": served.url, "TOKEN": served.secret, "FILE": str(DEMO / "recording.ogg")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(COMMANDS)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    assert said.startswith("complete\n")
    assert "-->" in said, "the subtitles are shown"
    assert '"reviewStatus": "done"' in said
    assert '"NOT_SIGNED_IN"' in said.splitlines()[-1]
    document = json.loads((tmp_path / "transcript.json").read_text())
    assert document["segments"] and document["duration"] > 40
    (upload,) = served.call("GET", "/api/jobs").json()["jobs"][:1]
    assert upload["complete"] == 1


def test_the_page_names_every_scope() -> None:
    for scope in Scope:
        assert f"| `{scope.value}` | {scope.label} |" in PAGE
