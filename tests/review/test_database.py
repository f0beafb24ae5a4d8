"""What the database itself has to do right, on SQLite and on PostgreSQL."""

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from review.models import Edit, Segment, Speaker, Transcript
from review.storage import commit
from tests.contract.servers import database
from tests.review.page import interview

ROOT = Path(__file__).resolve().parent.parent.parent
# Danish sorts aa behind z, Czech ch behind h, Estonian z behind s; a rank is none of these.
RANKS = ["9", "9z", "a", "a0i", "aa", "aai", "ab", "ci", "ch", "cz", "hi", "s", "t", "y", "z", "zi", "1"]


def test_the_database_sorts_ranks_by_byte(talk: Transcript) -> None:
    talk.segments.all().delete()
    Segment.objects.bulk_create(Segment(transcript=talk, rank=rank, start=0, end=0) for rank in RANKS)
    found = list(talk.segments.values_list("rank", flat=True))
    assert found == sorted(RANKS)
    for rank in RANKS:
        behind = list(talk.segments.filter(rank__gt=rank).order_by("rank").values_list("rank", flat=True))
        assert behind == [other for other in sorted(RANKS) if other > rank]


def broken(talk: Transcript, column: str) -> None:
    """Write what must not be."""
    segments, speakers = talk.segments.order_by("rank"), talk.speakers.order_by("id")
    one, two, anna, jonas = segments[0], segments[1], speakers[0], speakers[1]
    match column:
        case "rank" | "key":
            segments.filter(pk=two.pk).update(**{column: getattr(one, column)})
        case "times":
            segments.filter(pk=one.pk).update(end=-1.0)
        case "hotkey":
            speakers.filter(pk=jonas.pk).update(hotkey=anna.hotkey)
        case "colour":
            speakers.filter(pk=jonas.pk).update(colour=10)
        case "edit":
            for seq in (1, 2):
                Edit.objects.create(transcript=talk, seq=seq, version=1, edit_id=one.key, client=one.key)


@pytest.mark.parametrize("column", ["rank", "key", "times", "hotkey", "colour", "edit"])
def test_the_database_refuses_what_must_not_be(talk: Transcript, column: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        broken(talk, column)


@pytest.mark.django_db(transaction=True)
def test_people_who_edit_at_once_lose_nothing(talk: Transcript, person: User) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("a database in memory has one connection; the run on PostgreSQL has this")
    keys = [str(key) for key in talk.segments.values_list("key", flat=True)]

    def edit(key: str) -> None:
        try:
            for number in range(10):
                sent = {"kind": "SetText", "segment": key, "text": f"{number}"}
                batch = commit.Batch(0, uuid.UUID(key), [uuid.uuid4()], [sent])
                commit.commit(talk, person, batch)
        finally:
            connection.close()

    threads = [threading.Thread(target=edit, args=[key]) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    talk.refresh_from_db()
    seqs = list(talk.edits.order_by("seq").values_list("seq", "version"))
    assert seqs == [(number, number) for number in range(1, 61)]
    assert talk.version == 60
    assert set(talk.segments.values_list("text", flat=True)) == {"9"}


OLD, NEW = [("review", "0001_initial")], [("review", "0002_edits")]


@pytest.mark.django_db(transaction=True)
def test_transcripts_from_before_get_ranks_keys_and_flags(
    transcript_of: Callable[[dict[str, Any]], Transcript],
) -> None:
    made = transcript_of(interview(4))
    made.segments.filter(rank__gt="a").update(
        words=[["So", 0.5, 0.9, 0.9, 0, ""], ["late", 1.0, 1.5, 0.25, 1, " "]]
    )
    wanted = list(made.segments.values_list("key", "rank", "text", "words"))
    executor = MigrationExecutor(connection)
    executor.migrate(OLD)
    try:
        old = executor.loader.project_state(OLD).apps.get_model("review", "Segment")
        assert list(old.objects.order_by("position").values_list("position", flat=True)) == [0, 1, 2, 3]
        assert old.objects.order_by("position")[1].flags == ["low_confidence", "overlap"]
        old.objects.filter(position=0).update(start=0.12345, end=0.98765)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert list(made.segments.values_list("key", "rank", "text", "words")) == wanted
    first, second, *_ = made.segments.all()
    assert (first.start, first.end) == (0.123, 0.988)
    assert second.flags == [{"kind": "low_confidence", "score": 1.0}, {"kind": "overlap", "score": 1.0}]
    made.refresh_from_db()
    assert made.doubtful == 1
    assert [row.hotkey for row in made.speakers.all()] == [1, 2]
    assert len(set(Speaker.objects.values_list("key", flat=True))) == 2


@pytest.mark.servers
def test_everything_holds_on_postgresql_in_a_language_of_its_own_order(tmp_path: Path) -> None:
    if os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("this is that run")
    with database(tmp_path) as url:
        server, _, name = url.rpartition("/")
        danish = f"{name}_danish"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(
                f'CREATE DATABASE "{danish}" TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE "da"'.encode()
            )
        try:
            environ = {**os.environ, "TEST_DATABASE_URL": url, "TEST_DATABASE_TEMPLATE": danish}
            files = ("test_database.py", "test_history.py", "test_api.py", "test_snapshot.py")
            argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
            done = subprocess.run(
                [*argv, *(f"tests/review/{file}" for file in files), "-k", "not every_format"],
                cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
            )  # fmt: skip
        finally:
            with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
                admin.execute(f'DROP DATABASE "{danish}" WITH (FORCE)'.encode())
    assert done.returncode == 0, done.stdout[-5000:]
