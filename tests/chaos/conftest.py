"""An installation for the faults, on both pairs of database and broker."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.chaos.stage import Stage
from tests.contract.servers import OwnRedis, database


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.chaos)


@pytest.fixture(
    scope="session",
    params=["SQLite and files", pytest.param("PostgreSQL and Redis", marks=pytest.mark.servers)],
)
def everything(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stage, OwnRedis | None]]:
    folder = tmp_path_factory.mktemp("chaos")
    with ExitStack() as stack:
        variables: dict[str, str] = {}
        redis: OwnRedis | None = None
        if request.param == "PostgreSQL and Redis":
            redis = stack.enter_context(OwnRedis())
            variables = {"DATABASE_URL": stack.enter_context(database(folder)), "REDIS_URL": redis.url}
        yield stack.enter_context(Stage(folder, workers=2, speed=2.0, **variables)), redis


@pytest.fixture
def stage(everything: tuple[Stage, OwnRedis | None]) -> Iterator[Stage]:
    """Everything runs before a test, and every invariant holds after it."""
    running, _redis = everything
    running.heal()
    yield running
    running.heal()
    running.check()


@pytest.fixture
def redis(everything: tuple[Stage, OwnRedis | None]) -> OwnRedis:
    _stage, server = everything
    if server is None:
        pytest.skip("messages are files here")
    return server


@pytest.fixture
def session(stage: Stage) -> str:
    return stage.new_session()
