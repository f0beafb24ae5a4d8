"""Whose turn it is, with several sessions and several workers."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from gpu_worker.shared.protocol import Options
from jobs import batches
from jobs.models import Job, JobInput, Priority, Session, Upload
from remoteworker import tasks
from remoteworker.attempts import dispatch, results
from remoteworker.models import ASSIGNING, Attempt, Tick, Worker
from remoteworker.scheduling import queue
from tests.steps import claim

LOCAL, REMOTE = Worker.Kind.LOCAL, Worker.Kind.REMOTE


@pytest.fixture
def queued(person: User) -> Callable[..., list[JobInput]]:
    """Queue a job of `files` in a session of its own name."""

    def make(name: str, files: int = 1, use_remote: bool = False) -> list[JobInput]:
        session, _created = Session.objects.get_or_create(owner=person, name=name)
        uploads = [
            Upload.objects.create(session=session, name=f"{name}-{n}.ogg", size_bytes=160_000, sha256="0")
            for n in range(files)
        ]
        job = batches.create_job(
            session, uploads, Options(model="base"), use_remote=use_remote, created_by=person
        )
        return list(job.inputs.all())

    return make


def candidate(name: str, kind: Worker.Kind = LOCAL, **more: object) -> Worker:
    row = Worker(name=name, kind=kind, url=f"http://127.0.0.1:9/{name}", is_connected=True, **more)
    row.checked_at = timezone.now() + timedelta(hours=1)
    row.capabilities = {"maxConcurrentJobs": 1, "models": ["base"], "model": "base"} | row.capabilities
    row.token = "x"
    row.save()
    return row


def order(kind: Worker.Kind = LOCAL) -> list[str]:
    return [entry.upload.name.removesuffix(".ogg") for entry in queue.next_up(kind, 100)]


def test_sessions_take_turns_and_the_oldest_of_each_comes_first(queued: Callable[..., object]) -> None:
    queued("a", 3)
    queued("b", 2)
    queued("a", 1)
    assert order() == ["a-0", "b-0", "a-1", "b-1", "a-2", "a-0"]


def test_with_one_slot_the_turns_go_on_from_file_to_file(queued: Callable[..., object], db: None) -> None:
    queued("a", 4)
    queued("b", 2)
    worker = candidate("one")
    taken = []
    for _ in range(6):
        (attempt,) = claim(worker)
        taken.append(attempt.job_input.upload.name.removesuffix(".ogg"))
    assert taken == ["a-0", "b-0", "a-1", "b-1", "a-2", "a-3"]


def test_a_job_of_higher_priority_goes_before_all_others(queued: Callable[..., list[JobInput]]) -> None:
    queued("a", 2)
    (late,) = queued("b", 1)
    (urgent,) = queued("a", 1)
    Job.objects.filter(pk=urgent.job_id).update(priority=Priority.FIRST)
    Job.objects.filter(pk=late.job_id).update(priority=Priority.LATER)
    assert order() == ["a-0", "a-0", "a-1", "b-0"]
    assert queue.next_up(LOCAL, 1)[0].pk == urgent.pk


def test_local_and_remote_files_do_not_wait_for_each_other(
    queued: Callable[..., object], settings: Settings
) -> None:
    settings.REMOTE_WORKER_MODE = "optional"
    candidate("local"), candidate("gpu", REMOTE)
    queued("here", 2)
    queued("there", 2, use_remote=True)
    assert (order(LOCAL), order(REMOTE)) == (["here-0", "here-1"], ["there-0", "there-1"])
    dispatch.assign()
    taken = {attempt.worker.name: attempt.job_input.upload.name for attempt in Attempt.objects.all()}
    assert taken == {"local": "here-0.ogg", "gpu": "there-0.ogg"}


def test_files_go_to_whoever_will_be_done_first(
    queued: Callable[..., object], db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "ASSIGN_SECONDS", 60.0)  # all in one tick, however slow the machine
    candidate("slow", speeds={"base": 1.0}, capacity=9)
    candidate("fast", speeds={"base": 8.0}, capacity=9)
    queued("a", 9)
    dispatch.assign()
    names = list(Attempt.objects.values_list("worker__name", flat=True))
    assert (names.count("slow"), names.count("fast")) == (1, 8)


def test_two_ticks_at_once_do_not_fill_a_worker_twice(queued: Callable[..., object], db: None) -> None:
    candidate("one")
    queued("a", 3)
    Tick.objects.create(name="assign", at=timezone.now())
    assert ASSIGNING.claim(Tick.objects.filter(name="assign"))
    assert dispatch.assign() is False
    assert not Attempt.objects.exists(), "somebody else is at it"


def test_a_file_that_a_person_moves_goes_to_another_worker(
    queued: Callable[..., list[JobInput]], db: None
) -> None:
    first = candidate("first", speeds={"base": 50.0})
    (entry,) = queued("a")
    (attempt,) = claim(first)
    dispatch.accept(attempt, "w-1")
    assert dispatch.move_away(attempt, "anna", "Moved to another worker.")
    dispatch.assign()
    entry.refresh_from_db()
    assert entry.attempt_count == 2, "there is no other: better here than nowhere"
    assert dispatch.move_away(entry.attempts.get(number=2), "anna", "Moved to another worker.")
    second = candidate("second", speeds={"base": 1.0})
    dispatch.assign()
    assert entry.attempts.get(number=3).worker == second
    first_attempt = entry.attempts.get(number=1)
    assert (first_attempt.outcome, first_attempt.cancel_pending) == ("superseded", True)
    entry.refresh_from_db()
    assert (entry.tries, dispatch.may_try_again(entry.attempts.get(number=3))) == (1, False)
    with pytest.raises(results.StaleAttempt):
        results.find_attempt([first], entry.job_id, "w-1")


def test_a_worker_learns_its_speed_from_what_it_completes(
    queued: Callable[..., list[JobInput]], db: None
) -> None:
    from remoteworker.workers import capacity

    worker = candidate("one")
    queued("a", 2)
    first, second = claim(worker, 2)
    start = timezone.now()
    Attempt.objects.filter(pk=first.pk).update(accepted_at=start, began_at=start + timedelta(seconds=10))
    Attempt.objects.filter(pk=second.pk).update(accepted_at=start)
    first.refresh_from_db()
    capacity.learn_speed(first, 600.0, start + timedelta(seconds=70))
    worker.refresh_from_db()
    assert worker.speeds == {"base": 10.0}
    Attempt.objects.filter(pk=first.pk).update(outcome="complete", ended_at=start + timedelta(seconds=70))
    second.refresh_from_db()
    capacity.learn_speed(second, 600.0, start + timedelta(seconds=130))
    worker.refresh_from_db()
    assert worker.speeds == {"base": 10.0}, "it waited at the worker until the first was done"


def test_a_tick_claims_and_sends_one_message_for_each_worker_with_something_to_take(
    monkeypatch: pytest.MonkeyPatch, queued: Callable[..., object], db: None
) -> None:
    sent: list[tuple[str, object]] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *args: sent.append((task.name.rsplit(".", 1)[1], *args)))
    monkeypatch.setattr(dispatch, "ASSIGN_SECONDS", 60.0)  # however busy the machine is
    workers = [candidate("one"), candidate("two"), candidate("three")]
    queued("a", 2)
    tasks.dispatch_queued()
    assert sorted(sent) == sorted([("hand_over", workers[0].pk), ("hand_over", workers[1].pk)])
    tasks.dispatch_queued()
    assert len(sent) == 4, "a message that was lost is sent again: nobody has handed them over yet"


def test_files_that_are_too_large_for_every_worker_are_refused_by_name_and_hold_up_nobody(
    queued: Callable[..., list[JobInput]], db: None
) -> None:
    candidate("one", capabilities={"maxFileMB": 2000})
    large, (small,) = queued("a", 60), queued("a")
    Upload.objects.filter(inputs__in=large).update(size_bytes=3000 * 1024 * 1024)
    for _ in range(len(large) + 1):
        dispatch.assign()
        for attempt in Attempt.objects.filter(ended_at=None, job_input__in=large):
            dispatch._refuse(attempt, "INPUT_TOO_LARGE", "as its worker says")
    assert {row.status for row in JobInput.objects.filter(pk__in=[e.pk for e in large])} == {"failed"}
    small.refresh_from_db()
    assert small.status == "dispatching"


def test_files_that_only_a_busy_worker_can_take_wait_for_it_and_hold_up_nobody(
    queued: Callable[..., list[JobInput]], db: None
) -> None:
    candidate("large", capabilities={"maxFileMB": 5000, "maxConcurrentJobs": 1}, drain=True)
    candidate("small", capabilities={"maxFileMB": 10})
    large, (small,) = queued("a", 60), queued("a")
    Upload.objects.filter(inputs__in=large).update(size_bytes=3000 * 1024 * 1024)
    dispatch.assign()
    assert [attempt.job_input_id for attempt in Attempt.objects.all()] == [small.pk]


def test_files_wait_for_the_worker_with_their_model_and_hold_up_nobody(
    queued: Callable[..., list[JobInput]], db: None
) -> None:
    candidate("able", capabilities={"models": ["large-v3"], "maxFileMB": 9}), candidate("other", capacity=2)
    large, (small,) = queued("a", 2 * queue.PASSED_OVER), queued("a")
    Job.objects.filter(pk=large[0].job_id).update(model="large-v3")
    Upload.objects.filter(inputs=large[-1]).update(size_bytes=10 * 1024 * 1024)
    for _ in range(3):
        dispatch.assign()
    names = dict(Attempt.objects.values_list("job_input", "worker__name"))
    assert names == {large[0].pk: "able", small.pk: "other", large[-1].pk: "other"}


def test_files_wait_for_the_worker_that_tells_speakers_apart_and_hold_up_nobody(
    queued: Callable[..., list[JobInput]], db: None
) -> None:
    candidate("able", capacity=1), candidate("mute", capabilities={"diarizationTrouble": "no token"})
    several, (one,) = queued("a", 2 * queue.PASSED_OVER), queued("a")
    job = several[0].job
    Job.objects.filter(pk=job.pk).update(options={**job.options, "diarization_enabled": True})
    dispatch.assign()
    dispatch.assign()
    names = dict(Attempt.objects.values_list("job_input", "worker__name"))
    assert names == {several[0].pk: "able", one.pk: "mute"}


@pytest.mark.parametrize(
    "gone", [{"drain": True}, {"is_connected": False}, {"enabled": False}, {"capacity": 0}]
)
def test_files_do_not_wait_for_a_worker_that_takes_nothing(
    gone: dict[str, object], queued: Callable[..., list[JobInput]], db: None
) -> None:
    able = candidate("able", capabilities={"models": ["large-v3"]})
    candidate("other")
    (large,) = queued("a")
    Job.objects.update(model="large-v3")
    Worker.objects.filter(pk=able.pk).update(**gone)
    dispatch.assign()
    large.refresh_from_db()
    assert large.worker_name == "other", "it may download the model"


@pytest.mark.parametrize(
    "other",
    [
        {"is_connected": False},
        {"capabilities": {"maxFileMB": 1}},
        {"drain": True},
        {"capabilities": {"models": ["tiny"]}},
    ],
)
def test_a_moved_file_comes_back_where_nobody_else_can_take_it(
    other: dict[str, object], attempt: Attempt, job_input: JobInput
) -> None:
    row = candidate("other")
    Worker.objects.filter(pk=row.pk).update(**other)
    Upload.objects.update(size_bytes=5 * 1024 * 1024)
    assert dispatch.move_away(attempt, "anna", "elsewhere")
    dispatch.assign()
    job_input.refresh_from_db()
    assert (job_input.status, job_input.worker_name) == ("dispatching", "box")


def test_both_kinds_of_workers_have_their_turn_in_a_tick(
    queued: Callable[..., list[JobInput]], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REMOTE_WORKER_MODE = "optional"
    monkeypatch.setattr(dispatch, "CLAIMS", 2)
    candidate("here", capacity=9)
    candidate("there", kind=REMOTE, capacity=9)
    queued("a", 5)
    queued("b", 5, use_remote=True)
    assert dispatch.assign(), "there is more to claim"
    names = list(Attempt.objects.values_list("worker__name", flat=True))
    assert (names.count("here"), names.count("there")) == (2, 2)
