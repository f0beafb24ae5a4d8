"""What happens at the same instant, on real databases."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.installation import REPOSITORY, SECRET, clean_environment
from tests.contract.servers import postgres_and_redis


def race(folder: Path, **variables: str) -> dict[str, Any]:
    own = {"DATA_DIR": str(folder / "data"), "SECRET_KEY": SECRET, "ALLOWED_HOSTS": "testserver"}
    env = {**clean_environment(), **own, **variables}
    argv = [sys.executable, "-m", "tests.contract.race"]
    done = subprocess.run(argv, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("database", ["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.servers)])
def test_what_races_has_one_outcome(database: str, tmp_path: Path) -> None:
    if database == "SQLite":
        said = race(tmp_path)
    else:
        with postgres_and_redis(tmp_path) as servers:
            said = race(tmp_path, DATABASE_URL=servers["DATABASE_URL"])
    assert said["polled"] == {what: {"cancel done": 1, "poll done": 1} for what in ("progress", "leases")}, (
        "no deadlock of a poll and a cancel"
    )
    assert said["doubles"] == {"complete 200": 4}
    assert said["mixed"]["cancel 302"] == 1
    assert set(said["mixed"]) <= {"cancel 302", "complete 200", "complete 410"}, "no deadlock, no 500"
    assert said["statuses"]["complete"] == said["results"] == 1 + said["mixed"].get("complete 200", 0)
    assert said["statuses"]["canceled"] == 30 - said["results"]
    assert said["open_attempts"] == 0
    assert said["begun"] == {"begin 201": 1, "begin 507": 7}, "one alone fits into the quota"
    assert len(said["claimed"]) == 5
    for lease, claims in said["claimed"].items():
        assert claims == {"claim True": 1, "claim False": 7}, f"of eight who want {lease}, one gets it"
