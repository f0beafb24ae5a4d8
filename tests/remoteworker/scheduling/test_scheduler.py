"""Which worker takes which file: pure."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remoteworker.scheduling.scheduler import (
    MAX_SPEED,
    MIN_SPEED,
    File,
    WorkerCandidate,
    choose,
    learn,
    plan,
    speed,
)


def file(number: int = 1, seconds: float = 600.0, **more: object) -> File:
    return File(**{"input_id": UUID(int=number), "model": "base", "seconds": seconds, **more})  # type: ignore[arg-type]


def test_the_worker_that_will_be_done_first_takes_it() -> None:
    slow = WorkerCandidate(1, free=1, speeds={"base": 2.0})
    fast = WorkerCandidate(2, free=1, speeds={"base": 30.0})
    assert choose(file(), [slow, fast]) == fast
    busy = WorkerCandidate(2, free=1, speeds={"base": 30.0}, backlog=900.0)
    assert choose(file(), [slow, busy]) == slow, "600 s at 2× is sooner than 900 s and 20"


def test_a_worker_that_takes_several_at_once_has_a_shorter_queue() -> None:
    one, four = (
        WorkerCandidate(1, free=1, backlog=100.0),
        WorkerCandidate(2, free=1, backlog=200.0, parallel=4),
    )
    assert choose(file(), [one, four]) == four


def test_what_it_cannot_take_at_all_it_is_not_given() -> None:
    small = WorkerCandidate(1, free=1, max_bytes=10)
    assert choose(file(size_bytes=11), [small]) is None
    assert choose(file(), [WorkerCandidate(1, free=0)]) is None


def test_a_worker_with_the_model_and_with_speakers_comes_before_a_faster_one_without() -> None:
    fast = WorkerCandidate(
        1, free=1, speeds={"base": 100.0}, models=frozenset({"tiny"}), tells_speakers=False
    )
    slow = WorkerCandidate(2, free=1, speeds={"base": 1.0}, models=frozenset({"base"}))
    assert choose(file(), [fast, slow]) == slow
    mute = WorkerCandidate(1, free=1, speeds={"base": 100.0}, tells_speakers=False)
    assert choose(file(), [mute, slow]) == mute
    assert choose(file(wants_speakers=True), [mute, slow]) == slow
    assert choose(file(wants_speakers=True), [mute]) == mute, "better than nobody: its transcript says so"


def test_a_file_waits_for_the_worker_that_has_its_model_while_that_is_merely_full() -> None:
    full = WorkerCandidate(1, free=0, models=frozenset({"large-v3"}))
    other = WorkerCandidate(2, free=3, models=frozenset({"base"}))
    large, small = file(1, model="large-v3"), file(2)
    assert [(taken, candidate.worker_id) for taken, candidate in plan([large, small], [full, other])] == [
        (small, 2)
    ]
    assert choose(large, [other]) == other, "nobody has it: it may be downloaded"
    nearly = WorkerCandidate(1, free=1, models=frozenset({"large-v3"}))
    files = [file(n, model="large-v3") for n in range(3)]
    assert [candidate.worker_id for _file, candidate in plan(files, [nearly, other])] == [1]


def test_a_file_waits_for_the_worker_that_tells_speakers_apart() -> None:
    full, mute = WorkerCandidate(1, free=0), WorkerCandidate(2, free=1, tells_speakers=False)
    assert choose(file(wants_speakers=True), [full, mute]) is None
    assert choose(file(), [full, mute]) == mute


def test_where_nobody_can_do_all_the_one_with_the_model_comes_first() -> None:
    mute = WorkerCandidate(1, free=1, models=frozenset({"base"}), tells_speakers=False)
    other = WorkerCandidate(2, free=1, models=frozenset({"tiny"}), speeds={"tiny": 900.0})
    assert choose(file(wants_speakers=True), [mute, other]) == mute, "the other would have to download it"


def test_a_file_does_not_wait_for_a_worker_that_it_is_too_large_for() -> None:
    small = WorkerCandidate(1, free=0, models=frozenset({"base"}), max_bytes=10)
    other = WorkerCandidate(2, free=1, models=frozenset({"tiny"}))
    assert choose(file(size_bytes=11), [small, other]) == other


def test_a_worker_is_avoided_only_where_another_can_take_the_file_as_well() -> None:
    able, lacking = WorkerCandidate(1, free=1), WorkerCandidate(2, free=1, models=frozenset({"tiny"}))
    assert choose(file(avoid=1), [able, lacking]) == able
    assert choose(file(avoid=1), [able, WorkerCandidate(3, free=1)]) == WorkerCandidate(3, free=1)
    assert choose(file(avoid=1), [able, WorkerCandidate(3, free=0)]) is None, "it will be free again"


def test_files_are_spread_by_what_each_worker_gets_on_the_way() -> None:
    candidates = [
        WorkerCandidate(1, free=9, speeds={"base": 10.0}),
        WorkerCandidate(2, free=9, speeds={"base": 20.0}),
    ]
    taken = [candidate.worker_id for _file, candidate in plan([file(n) for n in range(9)], candidates)]
    assert (taken.count(1), taken.count(2)) == (3, 6)


def test_one_that_fits_nowhere_does_not_hold_up_the_others() -> None:
    huge, small = file(1, size_bytes=99), file(2, size_bytes=1)
    assert [
        taken.input_id for taken, _box in plan([huge, small], [WorkerCandidate(1, free=2, max_bytes=9)])
    ] == [UUID(int=2)]


@given(
    files=st.lists(st.floats(0.1, 1e5), max_size=30),
    free=st.lists(st.integers(0, 5), max_size=6),
)
def test_no_worker_gets_more_than_it_has_room_for_and_none_idles_while_files_wait(
    files: list[float], free: list[int]
) -> None:
    candidates = [WorkerCandidate(number, free=room) for number, room in enumerate(free)]
    taken = [
        candidate.worker_id
        for _file, candidate in plan([file(n, s) for n, s in enumerate(files)], candidates)
    ]
    assert len(taken) == min(len(files), sum(free))
    assert all(taken.count(number) <= room for number, room in enumerate(free))


def test_speed_is_learned_slowly_and_each_model_for_itself() -> None:
    speeds = learn({}, "base", 600.0, 60.0)
    assert speeds == {"base": 10.0}
    speeds = learn(speeds, "base", 600.0, 30.0)
    assert speeds == {"base": 13.0}, "one lucky file does not make a fast worker"
    assert learn(speeds, "tiny", 600.0, 6.0) == {"base": 13.0, "tiny": 100.0}
    assert speed(speeds, "large-v3", has_gpu=False) == 13.0, "as its other models, until it is known"
    assert (speed({}, "base", has_gpu=True), speed({}, "base", has_gpu=False)) == (20.0, 2.0)


@pytest.mark.parametrize("took", [0.0, 1e-9, 1e12])
def test_an_absurd_measurement_stays_within_bounds(took: float) -> None:
    assert MIN_SPEED <= learn({}, "base", 600.0, took)["base"] <= MAX_SPEED


def test_what_a_worker_is_given_counts_in_full_for_the_next_file() -> None:
    four_at_once = WorkerCandidate(1, free=9, speeds={"base": 1.0}, parallel=4)
    one = WorkerCandidate(2, free=1, speeds={"base": 0.75})
    files = [File(UUID(int=n + 1), "base", 100.0) for n in range(6)]
    # done by the first after two files at 200 / 4 + 100 = 150 s, by the other at 133 s
    assert [candidate.worker_id for _file, candidate in plan(files, [four_at_once, one])][:3] == [1, 1, 2]
