"""One installation for all tests of the API over HTTP."""

from collections.abc import Iterator

import pytest

from tests.rest.installation import Served


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as running:
        yield running
