"""The compose files held against the code: variables, commands, addresses, health checks, volumes, rights."""

import shlex
from pathlib import Path

import pytest
import yaml
from celery.bin.beat import beat
from celery.bin.worker import worker as celery_worker
from click import Command
from django.core.management import get_commands

from gpu_worker.config import read_config
from gpu_worker.shared.protocol import is_trusted_transport
from tests.docker.reading import (
    CONTROLLER_SERVICES,
    DOCKER,
    FILES,
    ROOT,
    SECRETS,
    VARIABLE,
    WORKER_SERVICES,
    compose,
    controller_settings,
    documented,
    environment_of,
    filled,
    words_of,
)


def test_compose_names_the_variables_that_the_program_reads() -> None:
    of_postgres = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}
    for name, service in compose("compose.yaml", "compose.gpu.yaml").items():
        texts = [*map(str, service["environment"].values()), *service.get("ports", [])]
        asked = {match["name"] for text in texts for match in VARIABLE.finditer(text)}
        assert service["environment"].keys() | asked <= documented().keys() | of_postgres, name


def test_no_secret_has_a_default_or_is_written_down() -> None:
    for file in ("compose.yaml", "compose.gpu.yaml"):
        for match in VARIABLE.finditer((DOCKER / file).read_text()):
            is_secret = match["name"].endswith(("_KEY", "_TOKEN", "_PASSWORD"))
            assert not is_secret or match["operator"] == ":?" or not match["rest"], match[0]
    for name, service in compose("compose.yaml", "compose.gpu.yaml").items():
        for variable, value in service["environment"].items():
            if variable.endswith(("_KEY", "_TOKEN", "_PASSWORD")):
                assert VARIABLE.fullmatch(str(value)), f"{name}: {variable}"


@pytest.mark.parametrize("missing", SECRETS)
def test_compose_stops_with_a_sentence_where_a_secret_is_missing(missing: str) -> None:
    services = compose("compose.yaml", "compose.gpu.yaml").values()
    values = [str(value) for service in services for value in service["environment"].values()]
    with pytest.raises(KeyError, match=missing):
        [filled(value, SECRETS | {missing: ""}) for value in values]


def test_the_controllers_containers_share_database_broker_and_files(tmp_path: Path) -> None:
    wanted = ("DATABASES", "CELERY_BROKER_URL", "ALLOWED_HOSTS", "WEB_HOST", "DEBUG", "LOCAL_WORKER_URL")
    seen = [
        controller_settings(tmp_path, environment_of(service), *wanted) for service in CONTROLLER_SERVICES[:3]
    ]
    assert seen[0] == seen[1] == seen[2]
    (database, broker) = seen[0]["DATABASES"]["default"], seen[0]["CELERY_BROKER_URL"]
    services = compose("compose.yaml")
    assert (database["HOST"], database["USER"], database["NAME"]) == ("postgres", *["bulktranscribe"] * 2)
    assert database["PASSWORD"] == SECRETS["POSTGRES_PASSWORD"]
    assert broker == "redis://redis:6379/0" and {"postgres", "redis"} <= services.keys()
    assert seen[0]["WEB_HOST"] == "0.0.0.0" and seen[0]["DEBUG"] is False
    assert "controller" in seen[0]["ALLOWED_HOSTS"], "workers in the network come by this name"
    for service in CONTROLLER_SERVICES:
        assert services[service]["volumes"] == [f"data:{environment_of(service)['DATA_DIR']}"]


def test_composes_defaults_are_the_programs_own(tmp_path: Path) -> None:
    names = [
        "REMOTE_WORKER_TIMEOUT_SECONDS",
        "REMOTE_WORKER_POLL_SECONDS",
        "REMOTE_WORKER_UPLOAD_MODE",
        "REMOTE_WORKER_MAX_ATTEMPTS",
        "ALLOW_INSECURE_WORKER",
        "SECRET_KEY_FALLBACKS",
        "LOG_LEVEL",
    ]
    bare = controller_settings(tmp_path / "bare", {"SECRET_KEY": SECRETS["SECRET_KEY"]}, *names)
    assert controller_settings(tmp_path / "compose", environment_of("controller"), *names) == bare
    own = read_config({"WORKER_TOKEN": "x"})
    composed = read_config(environment_of("gpu-worker"))
    for name in ("host", "port", "model", "max_file_mb", "max_concurrent_jobs", "diarization_device"):
        assert getattr(composed, name) == getattr(own, name), name


@pytest.mark.parametrize(
    ("worker", "url", "token"),
    [
        ("local-worker", "LOCAL_WORKER_URL", "LOCAL_WORKER_TOKEN"),
        ("gpu-worker", "REMOTE_WORKER_URL", "REMOTE_WORKER_TOKEN"),
    ],
)
def test_controller_and_worker_agree_on_address_token_and_origin(worker: str, url: str, token: str) -> None:
    controller, config = environment_of("controller"), read_config(environment_of(worker))
    assert controller[url] == f"http://{worker}:{config.port}"
    assert is_trusted_transport(controller[url])
    assert controller[token] == config.token
    base = "LOCAL_CONTROLLER_URL" if worker == "local-worker" else "CONTROLLER_BASE_URL"
    assert controller[base] == config.controller_origin


def test_with_a_gpu_jobs_run_there_unless_said_otherwise(tmp_path: Path) -> None:
    for service in ("controller", "celery", "beat"):
        assert environment_of(service)["REMOTE_WORKER_MODE"] == "required"
    assert environment_of("controller", REMOTE_WORKER_MODE="optional")["REMOTE_WORKER_MODE"] == "optional"
    without = compose("compose.yaml")["controller"]["environment"]["REMOTE_WORKER_MODE"]
    assert filled(without, {}) == "off"


def test_the_gpu_worker_reserves_an_nvidia_gpu() -> None:
    service = compose("compose.gpu.yaml")["gpu-worker"]
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}


def test_the_published_ports_are_the_protocols_and_stay_on_loopback() -> None:
    services = compose("compose.yaml", "compose.gpu.yaml")
    published = {
        name: [filled(port, {}) for port in s["ports"]] for name, s in services.items() if "ports" in s
    }
    assert published == {"controller": ["127.0.0.1:8476:8476"], "gpu-worker": ["127.0.0.1:8477:8477"]}


def test_what_must_survive_lies_on_named_volumes() -> None:
    for file in ("compose.yaml", "compose.gpu.yaml"):
        document = yaml.safe_load((DOCKER / file).read_text())
        used = {v.split(":")[0] for s in document["services"].values() for v in s.get("volumes", [])}
        assert used == set(document["volumes"])
    for name in WORKER_SERVICES:
        (volume,) = compose("compose.yaml", "compose.gpu.yaml")[name]["volumes"]
        mount = Path(volume.split(":")[1])
        config = read_config(environment_of(name))
        assert config.tmp_dir.is_relative_to(mount) and config.state_dir.is_relative_to(mount)
        assert [str(mount)] == words_of("worker", "VOLUME")


@pytest.mark.parametrize("service", [*CONTROLLER_SERVICES, *WORKER_SERVICES])
def test_our_containers_are_built_here_and_have_no_rights_to_spare(service: str) -> None:
    said = compose("compose.yaml", "compose.gpu.yaml")[service]
    file = "worker" if service in WORKER_SERVICES else "controller"
    assert (DOCKER / said["build"]["context"]).resolve() == ROOT
    assert ROOT / said["build"]["dockerfile"] == FILES[file]
    assert said["cap_drop"] == ["ALL"] and said["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("service", CONTROLLER_SERVICES)
def test_each_command_of_the_controller_exists(service: str) -> None:
    command = shlex.split(compose("compose.yaml")[service]["command"])
    if command[0] == "python":
        assert command[1] == "manage.py"
        assert command[2] in get_commands()
        return
    assert command[:3] == ["celery", "-A", "bulktranscribe"]
    known: dict[str, Command] = {"worker": celery_worker, "beat": beat}
    options = {option for parameter in known[command[3]].params for option in parameter.opts}
    assert {word for word in command[4:] if word.startswith("-")} <= options


def test_every_service_is_checked_or_says_why_not() -> None:
    for name, service in compose("compose.yaml", "compose.gpu.yaml").items():
        is_own = name in CONTROLLER_SERVICES or name in WORKER_SERVICES
        assert "healthcheck" in service or is_own, name
        for other, wait in service.get("depends_on", {}).items():
            needed = compose("compose.yaml")[other]
            is_checked = not needed.get("healthcheck", {}).get("disable", False)
            assert wait["condition"] != "service_healthy" or is_checked
            assert wait["condition"] != "service_completed_successfully" or needed["restart"] == "no"
