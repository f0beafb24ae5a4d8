"""What Celery's process remembers."""

import uuid
from collections.abc import Iterator

import pytest
from celery.worker import state
from celery.worker.request import Request
from kombu import Connection
from kombu.message import Message
from kombu.utils.json import dumps

from bulktranscribe.celery import app
from remoteworker import tasks


@pytest.fixture
def nothing_revoked() -> Iterator[None]:
    state.revoked.clear()
    yield
    state.revoked.clear()


@pytest.mark.usefixtures("nothing_revoked")
def test_ticks_that_came_too_late_are_not_remembered_for_ever() -> None:
    with Connection("memory://") as connection:
        for _ in range(1200):
            assert late_tick(connection).revoked()
    assert len(state.revoked) <= 1000


def late_tick(connection: Connection) -> Request:
    """One that waited in the queue for longer than it may, as a worker takes it from there."""
    sent = app.amqp.as_task_v2(str(uuid.uuid4()), tasks.reap.name, expires=-1)
    message = Message(
        body=dumps(sent.body),
        headers=sent.headers,
        properties=sent.properties,
        content_type="application/json",
        content_encoding="utf-8",
        channel=connection.default_channel,
    )
    return Request(message, app=app, task=tasks.reap)
