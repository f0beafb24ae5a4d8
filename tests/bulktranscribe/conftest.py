"""An installation as the command line sees it, from here and from elsewhere."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from bulktranscribe.cli.client import Desk
from bulktranscribe.cli.remote_client import RemoteDesk
from bulktranscribe.local_client import LocalDesk
from jobs.api import tokens
from jobs.models import Scope


@pytest.fixture(params=["here", "elsewhere"])
def desk(request: pytest.FixtureRequest, live_server: LiveServer, person: User) -> Iterator[Desk]:
    if request.param == "here":
        yield LocalDesk(person)
        return
    scopes = [Scope.READ, Scope.UPLOAD, Scope.JOBS]
    elsewhere = RemoteDesk(live_server.url, tokens.create(person, "test", scopes, None, None)[1])
    yield elsewhere
    elsewhere.wire.close()  # a thread of the live server waits for the next request
