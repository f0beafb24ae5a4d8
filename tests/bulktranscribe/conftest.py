"""An installation as the command line sees it, from here and from elsewhere."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from bulktranscribe.cli.client import Client
from bulktranscribe.cli.remote_client import RemoteClient
from bulktranscribe.local_client import LocalClient
from jobs.api import tokens
from jobs.models import Scope


@pytest.fixture(params=["here", "elsewhere"])
def cli_client(request: pytest.FixtureRequest, live_server: LiveServer, person: User) -> Iterator[Client]:
    if request.param == "here":
        yield LocalClient(person)
        return
    scopes = [Scope.READ, Scope.UPLOAD, Scope.JOBS]
    elsewhere = RemoteClient(live_server.url, tokens.create(person, "test", scopes, None, None)[1])
    yield elsewhere
    elsewhere.transport.close()  # a thread of the live server waits for the next request
