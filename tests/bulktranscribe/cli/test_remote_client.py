"""Files sent to an installation elsewhere, through a network that breaks, against a live server."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from bulktranscribe.cli import folder, transport, tus, uploading
from bulktranscribe.cli.client import Changed, JobOptions, Refused, Source, unsaid
from bulktranscribe.cli.flow import Run
from bulktranscribe.cli.folder import Found
from bulktranscribe.cli.options import CliOptions
from bulktranscribe.cli.outcomes import Item
from bulktranscribe.cli.progress import Lines
from bulktranscribe.cli.remote_client import RemoteClient
from jobs import filters
from jobs.api import tokens
from jobs.api.serializers import incoming_state
from jobs.models import IncomingUpload, Job, Scope, Session, Upload
from tests.chaos.proxy import CUT, LOST_REPLY, Fault, Proxy

CONTENT = bytes(range(256)) * 8000  # 2 MB
NOTHING = r"^$"
BAD_GATEWAY = Fault(status=502)


@pytest.fixture
def proxy(live_server: LiveServer) -> Iterator[Proxy]:
    """The network between."""
    between = Proxy(int(live_server.url.rsplit(":", 1)[1]))
    yield between
    between.close()


@pytest.fixture
def cli_client(proxy: Proxy, session: Session, monkeypatch: pytest.MonkeyPatch) -> RemoteClient:
    monkeypatch.setattr(tus, "PAUSES", (0.01,))
    monkeypatch.setattr(uploading, "PAUSES", (0.01,))
    monkeypatch.setattr(tus, "PATIENCE_SECONDS", 20.0)
    monkeypatch.setattr(tus, "FIRST", 512 << 10)
    return RemoteClient(f"http://127.0.0.1:{proxy.port}", token_of(session.owner))


def token_of(person: User, *scopes: Scope) -> str:
    wanted = list(scopes or (Scope.READ, Scope.UPLOAD, Scope.JOBS))
    return tokens.create(person, "test", wanted, None, None)[1]


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "mill.wav"
    path.write_bytes(CONTENT)
    return folder.look(Found(path, "valley/mill.wav"))


@pytest.mark.parametrize("fault", [CUT, LOST_REPLY, BAD_GATEWAY])
@pytest.mark.parametrize("broken", ["POST", "HEAD", "PATCH", "GET /api/incoming"])
def test_an_upload_goes_on_after_a_break(
    cli_client: RemoteClient, session: Session, source: Source, proxy: Proxy, broken: str, fault: Fault
) -> None:
    proxy.break_once(broken, fault)
    shown: list[int] = []
    pk = cli_client.send(str(session.pk), source, shown.append).id
    upload = Upload.objects.get()
    assert (str(upload.pk), upload.folder, upload.name) == (pk, "valley", "mill.wav")
    assert upload.path.read_bytes() == CONTENT
    assert shown[-1] == len(CONTENT)


def test_another_run_goes_on_where_the_first_was_killed(
    cli_client: RemoteClient, session: Session, source: Source, proxy: Proxy
) -> None:
    def killed(done: int) -> None:
        if done >= len(CONTENT) // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cli_client.send(str(session.pk), source, killed)
    arrived = IncomingUpload.objects.get().offset_bytes
    assert arrived > 0
    shown: list[int] = []
    cli_client.send(str(session.pk), source, shown.append)
    assert shown[0] == arrived
    assert Upload.objects.get().path.read_bytes() == CONTENT


@pytest.mark.parametrize("may_delete", [True, False])
def test_another_file_of_the_same_name_and_size_is_not_mixed_with_what_arrived(
    cli_client: RemoteClient, session: Session, source: Source, may_delete: bool
) -> None:
    def killed(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cli_client.send(str(session.pk), source, killed)
    source.path.write_bytes(CONTENT[::-1])
    other = folder.look(Found(source.path, source.relative))
    said: list[str] = []
    if may_delete:
        cli_client = RemoteClient(cli_client.transport.url, token_of(session.owner, *Scope))
    pk = cli_client.send(str(session.pk), other, lambda _done: None, said.append).id
    assert Upload.objects.get(pk=pk).path.read_bytes() == CONTENT[::-1]
    mixed = filters.good(session).exclude(pk=pk)
    if may_delete:
        assert not mixed.exists()
        assert not said
    else:
        assert mixed.count() == 1
        (text,) = said
        assert "incomplete copy" in text
        assert cli_client.address(str(session.pk)) in text


def test_of_a_file_that_changes_meanwhile_nothing_is_kept(
    cli_client: RemoteClient, session: Session, source: Source, proxy: Proxy
) -> None:
    source.path.write_bytes(CONTENT[::-1])
    proxy.break_once("DELETE", LOST_REPLY)
    with pytest.raises(Changed, match=NOTHING):
        RemoteClient(cli_client.transport.url, token_of(session.owner, *Scope)).send(
            str(session.pk), source, lambda _done: None
        )
    assert not filters.good(session).exists()


def test_where_the_token_may_not_delete_the_problem_says_what_stays(
    cli_client: RemoteClient, session: Session, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = Item(Found(source.path, source.relative))
    source.path.write_bytes(CONTENT[::-1])
    monkeypatch.setattr(folder, "look", lambda _found: source)
    Run(cli_client, [item], CliOptions(session.name, JobOptions()), Lines(unsaid)).begin()
    assert item.problem.startswith(
        "The file is still being written. Run this command again when it is complete. An incomplete copy"
    )
    assert "(scope “delete”)" in item.problem
    assert cli_client.address(str(session.pk)) in item.problem
    assert filters.good(session).count() == 1


def test_what_somebody_else_finishes_is_not_taken_for_a_broken_copy(
    cli_client: RemoteClient,
    session: Session,
    source: Source,
    upload_of: Callable[..., Upload],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = len(CONTENT)
    theirs = IncomingUpload.objects.create(
        session=session,
        name="mill.wav",
        folder="valley",
        size_bytes=size,
        offset_bytes=size,
        upload=upload_of("mill.wav", CONTENT[::-1]),
        expires_at=timezone.now() + timedelta(days=1),
    )
    listed = [{**incoming_state(theirs).wire(), "offsetBytes": 1}]  # as it was a moment ago
    cli_client = RemoteClient(cli_client.transport.url, token_of(session.owner, *Scope))
    ask = cli_client.transport.json

    def late(method: str, path: str, **content: Any) -> Any:
        return (
            {"incoming": [listed.pop()]}
            if path.endswith("/incoming") and listed
            else ask(method, path, **content)
        )

    monkeypatch.setattr(cli_client.transport, "json", late)
    cli_client.send(str(session.pk), source, lambda _done: None)
    assert filters.good(session).count() == 2


def test_a_file_that_was_there_before_is_not_taken_for_a_broken_copy(
    cli_client: RemoteClient, session: Session, source: Source, upload_of: Callable[..., Upload]
) -> None:
    other = upload_of("other.wav", CONTENT[::-1])
    source.path.write_bytes(CONTENT[::-1])
    with pytest.raises(Changed, match=NOTHING):
        RemoteClient(cli_client.transport.url, token_of(session.owner, *Scope)).send(
            str(session.pk), source, lambda _done: None
        )
    assert filters.good(session).get() == other


def test_an_upload_that_came_of_nothing_is_not_gone_on_with(
    cli_client: RemoteClient, session: Session, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(CONTENT)
    purged = IncomingUpload.objects.create(  # its file was whole, and is deleted for good
        session=session,
        name="mill.wav",
        folder="valley",
        size_bytes=size,
        offset_bytes=size,
        expires_at=timezone.now() + timedelta(days=1),
    )
    row = incoming_state(purged).wire()
    begun = cli_client.transport.json

    def listed(
        method: str, path: str, **content: Any
    ) -> Any:  # as installations list it that do not know better
        return {"incoming": [row]} if path.endswith("/incoming") else begun(method, path, **content)

    monkeypatch.setattr(cli_client.transport, "json", listed)
    pk = cli_client.send(str(session.pk), source, lambda _done: None).id
    assert Upload.objects.get(pk=pk).path.read_bytes() == CONTENT


def test_an_upload_that_expires_meanwhile_is_begun_anew(
    cli_client: RemoteClient, session: Session, source: Source, proxy: Proxy
) -> None:
    def end(call: str) -> Fault | None:
        if not call.startswith("PATCH"):
            return None
        proxy.heal()
        IncomingUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        return CUT

    proxy.rule = end
    pk = cli_client.send(str(session.pk), source, lambda _done: None).id
    assert Upload.objects.get(pk=pk).path.read_bytes() == CONTENT


def test_a_file_that_is_always_gone_at_once_is_not_sent_for_ever(
    cli_client: RemoteClient, session: Session, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = cli_client.transport.json

    def nothing(method: str, path: str, **content: Any) -> Any:
        if path.startswith("/api/incoming/"):
            Upload.objects.all().delete()
        return ask(method, path, **content)

    monkeypatch.setattr(cli_client.transport, "json", nothing)
    with pytest.raises(Refused, match="keeps discarding"):
        cli_client.send(str(session.pk), source, lambda _done: None)


def test_a_file_that_shrinks_meanwhile_is_named(
    cli_client: RemoteClient, session: Session, source: Source
) -> None:
    source.path.write_bytes(CONTENT[:-1])
    with pytest.raises(Changed):
        cli_client.send(str(session.pk), source, lambda _done: None)


def test_a_proxy_that_takes_little_at_a_time_gets_little(
    cli_client: RemoteClient, session: Session, source: Source, proxy: Proxy
) -> None:
    refused = [Fault(status=413)]
    proxy.rule = lambda call: refused.pop() if call.startswith("PATCH") and refused else None
    cli_client.send(str(session.pk), source, lambda _done: None)
    assert Upload.objects.get().path.read_bytes() == CONTENT


def test_a_refusal_is_told_as_the_installation_says_it(
    cli_client: RemoteClient, session: Session, source: Source, settings: object
) -> None:
    settings.MAX_UPLOAD_MB = 1  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="larger than 1 MB"):
        cli_client.send(str(session.pk), source, lambda _done: None)


def test_a_session_is_found_or_made(cli_client: RemoteClient, session: Session) -> None:
    assert cli_client.open_session(session.name) == str(session.pk)
    made = cli_client.open_session("New ones")
    assert cli_client.open_session("New ones") == made
    with pytest.raises(Refused, match="Session not found: “Other”"):
        cli_client.open_session("Other", make=False)


def test_a_job_is_started_over_what_was_sent(
    cli_client: RemoteClient, session: Session, source: Source
) -> None:
    upload = cli_client.send(str(session.pk), source, lambda _done: None).id
    (held,) = cli_client.remote_files(str(session.pk))
    assert (held.id, held.relative, held.sha256) == (upload, source.relative, source.sha256)
    job_options = JobOptions(language="en", speakers="2-4")
    job = cli_client.start(str(session.pk), [upload], job_options)
    assert (job.model, job.suits(job_options), job.suits(JobOptions(speakers="3"))) == ("base", True, False)
    assert [one.id for one in cli_client.jobs(str(session.pk))] == [job.id]
    cli_client.cancel(job.id)
    assert cli_client.job(job.id).has_ended
    assert Job.objects.get().status == "canceled"


def test_no_more_jobs_are_read_than_have_to_be(
    cli_client: RemoteClient, session: Session, source: Source, proxy: Proxy, job_of: Callable[..., Job]
) -> None:
    for _job in range(3):
        job_of()
    new = [Item(Found(source.path, source.relative))]
    Run(cli_client, new, CliOptions(session.name, JobOptions()), Lines(unsaid)).begin()
    assert Job.objects.count() == 4
    assert len({call for call in proxy.calls if "/inputs" in call}) == 1


def test_a_wrong_token_and_a_wrong_scope_are_named(cli_client: RemoteClient, session: Session) -> None:
    with pytest.raises(Refused, match="token is not valid"):
        RemoteClient(cli_client.transport.url, "bt_wrong").open_session("x")
    reader = RemoteClient(cli_client.transport.url, token_of(session.owner, Scope.READ))
    with pytest.raises(Refused, match="is not allowed to"):
        reader.open_session("x")


def test_a_token_goes_to_no_other_address(
    cli_client: RemoteClient, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = transport.HttpTransport(cli_client.transport.url, "bt_secret")
    with pytest.raises(Refused, match="redirects to"):
        sent.call("GET", "/settings/")
