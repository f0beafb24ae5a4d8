"""The two services are installed apart: what each list holds, what it must not hold, that all is pinned."""

import json
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
LISTS = ("controller", "worker", "dev")

WORKER_ONLY = {
    "torch",
    "torchaudio",
    "openai-whisper",
    "pyannote-audio",
    "silero-vad",
    "triton",
    "numpy",
}
CONTROLLER_ONLY = {"django", "celery", "kombu", "redis", "psycopg", "django-ninja", "django-environ"}


def entries(name: str) -> dict[str, Requirement]:
    """Return the requirements of one file by normalised name; comments and empty lines left out."""
    lines = (line.split("#")[0].strip() for line in (REQUIREMENTS / name).read_text().splitlines())
    found = [Requirement(line) for line in lines if line]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def pinned_version(requirement: Requirement) -> Version:
    """Return the one version that `name==version` allows."""
    (specifier,) = requirement.specifier
    assert specifier.operator == "==" and "*" not in specifier.version, f"{requirement} is not pinned"
    return Version(specifier.version)


def test_the_controller_installs_no_speech_model() -> None:
    assert not WORKER_ONLY & entries("controller.txt").keys()
    assert not {name for name in entries("controller.txt") if name.startswith("nvidia-")}


def test_the_worker_installs_nothing_of_the_web_application() -> None:
    assert not CONTROLLER_ONLY & entries("worker.txt").keys()


def test_each_list_holds_its_own_side() -> None:
    assert entries("controller.txt").keys() >= CONTROLLER_ONLY | {"waitress", "requests"}
    assert entries("worker.txt").keys() >= WORKER_ONLY | {"waitress", "requests"}


@pytest.mark.parametrize("name", LISTS)
def test_what_is_wanted_is_pinned_within_its_limits(name: str) -> None:
    pinned = entries(f"{name}.txt")
    for wanted_name, wanted in entries(f"{name}.in").items():
        assert wanted_name in pinned, f"{wanted_name} is wanted but not pinned"
        assert pinned_version(pinned[wanted_name]) in wanted.specifier, str(wanted)


@pytest.mark.parametrize("name", [*LISTS, "starter"])
def test_every_line_of_a_lock_names_one_version(name: str) -> None:
    for requirement in entries(f"{name}.txt").values():
        pinned_version(requirement)


def test_what_two_lists_share_has_one_version() -> None:
    controller, worker, dev = (entries(f"{name}.txt") for name in LISTS)
    for one, other in ((controller, worker), (controller, dev), (worker, dev)):
        shared = one.keys() & other.keys()
        assert {n: one[n].specifier for n in shared} == {n: other[n].specifier for n in shared}


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("torch", "2.11.0"),
        ("torchaudio", "2.11.0"),
        ("pyannote-audio", "4.0.7"),
        ("openai-whisper", "20250625"),
    ],
)
def test_the_worker_has_the_releases_that_fit_together(name: str, version: str) -> None:
    assert pinned_version(entries("worker.txt")[name]) == Version(version)


def test_the_controller_runs_on_the_long_term_django_and_a_celery_that_survives_redis() -> None:
    pinned = entries("controller.txt")
    assert pinned_version(pinned["django"]).release[:2] == (5, 2)
    assert pinned_version(pinned["celery"]) >= Version("5.7")


def test_what_pages_take_from_npm_is_pinned_and_says_no_registry() -> None:
    root = REQUIREMENTS.parent
    wanted = json.loads((root / "package.json").read_text())
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} is not pinned"
    lock = (root / "package-lock.json").read_text()
    assert "resolved" not in lock and "registry" not in lock
    packages = {name: entry for name, entry in json.loads(lock)["packages"].items() if name}
    assert packages and all(entry["integrity"].startswith("sha512-") for entry in packages.values())


def test_npm_itself_has_one_version() -> None:
    assert entries("pages.txt").items() <= entries("dev.txt").items()
