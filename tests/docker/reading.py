"""Reads docker/ as Docker does: continued lines, anchors, `${NAME:-default}`, one file laid over another."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
DOCKER = ROOT / "docker"
FILES = {"controller": DOCKER / "controller.Dockerfile", "worker": DOCKER / "worker.Dockerfile"}
CONTROLLER_SERVICES = ("controller", "celery", "beat", "migrate")
WORKER_SERVICES = ("local-worker", "gpu-worker")
SECRETS = {
    "SECRET_KEY": "k3y-for-the-compose-test-0123456789-abcdef",
    "POSTGRES_PASSWORD": "wordofletters",
    "LOCAL_WORKER_TOKEN": "local-token",
    "REMOTE_WORKER_TOKEN": "remote-token",
}
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?P<operator>:-|:\?)(?P<rest>[^}]*)\}")


class Instruction(NamedTuple):
    """One line of a Dockerfile, continuations joined."""

    name: str
    words: str


def instructions(service: str) -> list[Instruction]:
    lines = [line for line in FILES[service].read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in joined if line.strip()]


def last_stage(service: str) -> list[Instruction]:
    every = instructions(service)
    start = max(i for i, instruction in enumerate(every) if instruction.name == "FROM")
    return every[start:]


def words_of(service: str, name: str) -> list[str]:
    return [instruction.words for instruction in last_stage(service) if instruction.name == name]


def image_environment(service: str) -> dict[str, str]:
    pairs = (pair for words in words_of(service, "ENV") for pair in shlex.split(words))
    return dict(pair.split("=", 1) for pair in pairs)


def context_copies(service: str) -> list[tuple[list[str], str]]:
    """Return (sources, destination) of every COPY out of the build context, in all stages."""
    copies = [i.words.split() for i in instructions(service) if i.name == "COPY"]
    return [(words[:-1], words[-1]) for words in copies if not words[0].startswith("--from")]


def compose(*names: str) -> dict[str, Any]:
    """Return the services of one compose file, or of several laid over one another."""
    merged: dict[str, Any] = {}
    for name in names:
        for service, said in yaml.safe_load((DOCKER / name).read_text())["services"].items():
            known = merged.setdefault(service, {})
            environment = {**known.get("environment", {}), **said.get("environment", {})}
            merged[service] = {**known, **deepcopy(said), "environment": environment}
    return merged


def filled(text: str, given: Mapping[str, str]) -> str:
    """Put variables into a text as docker compose does; a missing required one is a KeyError."""

    def value(match: re.Match[str]) -> str:
        said = given.get(match["name"], "")
        if said or match["operator"] == ":-":
            return said or match["rest"]
        raise KeyError(match["name"])

    return VARIABLE.sub(value, text)


def environment_of(service: str, **given: str) -> dict[str, str]:
    """What the process in a container sees: the image's variables, then compose's."""
    said = compose("compose.yaml", "compose.gpu.yaml")[service]["environment"]
    image = image_environment("worker" if service in WORKER_SERVICES else "controller")
    return image | {name: filled(str(value), SECRETS | given) for name, value in said.items()}


def documented() -> dict[str, str]:
    """Return the variables of .env.example with their defaults."""
    found = re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    return dict(found)


def controller_settings(folder: Path, environment: Mapping[str, str], *names: str) -> dict[str, Any]:
    """Import the real settings in a process that has just this environment; return the named ones."""
    program = (
        "import json; from bulktranscribe import settings;"
        f"print(json.dumps({{n: getattr(settings, n) for n in {names!r}}}, default=str))"
    )
    given = dict(environment) | {"DATA_DIR": str(folder), "PATH": os.defpath}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=given, capture_output=True, text=True, check=True
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said
