"""What the session page is told: chosen files, a page at a time; a stamp that changes with it; time left and cost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import filters, presets, trash
from jobs.filters import Choice
from jobs.forms import SessionForm
from jobs.models import Job, JobInput, Session, Sound, Upload
from remoteworker.models import Attempt, Worker
from review.models import Transcript
from tests.steps import claim


@pytest.fixture
def ask(browser: Client, session: Session) -> Callable[..., dict[str, Any]]:
    """Read the state, with these choices."""

    def read(**query: object) -> dict[str, Any]:
        answer: dict[str, Any] = browser.get(f"/api/sessions/{session.pk}/state", query).json()
        return answer

    return read


@pytest.fixture
def etag(browser: Client, session: Session) -> Callable[[], str]:
    """Read the state's stamp; a second question with it is 304."""

    def read() -> str:
        url = f"/api/sessions/{session.pk}/state"
        stamp = browser.get(url)["ETag"]
        assert browser.get(url, headers={"If-None-Match": stamp}).status_code == 304
        return str(stamp)

    return read


def names(state: dict[str, Any]) -> list[tuple[int, str]]:
    return [(job["number"], row["name"]) for job in state["jobs"] for row in job["inputs"]]


def test_files_are_shown_a_page_at_a_time_with_their_jobs(
    ask: Callable[..., dict[str, Any]], job_of: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.api.session_state.PAGE", 4)
    job_of(files=3)
    job_of(files=3)
    first, second = ask(), ask(page=2)
    assert names(first) == [(2, "file-0.wav"), (2, "file-1.wav"), (2, "file-2.wav"), (1, "file-0.wav")]
    assert names(second) == [(1, "file-1.wav"), (1, "file-2.wav")]
    assert (second["list"]["page"], second["list"]["pages"], second["list"]["found"]) == (2, 2, 6)
    assert [job["files"] for job in second["jobs"]] == [3], "the job's own numbers are of all of its files"
    assert ask(page=9)["list"]["page"] == 2


@pytest.mark.parametrize(
    "query", [{"page": "x"}, {"page": "-3"}, {"page": "9" * 30}, {"show": "\0"}, {"q": "\0"}]
)
def test_what_makes_no_sense_is_left_out(
    query: dict[str, str], ask: Callable[..., dict[str, Any]], job_of: Callable[..., Job]
) -> None:
    job_of(files=2)
    assert len(names(ask(**query))) == 2


def test_files_are_chosen_by_kind_and_by_name(
    ask: Callable[..., dict[str, Any]], job_of: Callable[..., Job]
) -> None:
    entries = list(job_of(files=6).inputs.order_by("position"))
    for entry, status in zip(
        entries, ("failed", "complete", "complete", "complete", "running"), strict=False
    ):
        JobInput.objects.filter(pk=entry.pk).update(status=status)
    for entry, review in zip(entries[1:], ("new", "in_review", "done"), strict=False):
        Transcript.objects.create(job_input=entry, review_status=review)
    Upload.objects.filter(pk=entries[5].upload_id).update(folder="Tape 7/Side B")
    Session.note_change(pk=entries[0].job.session_id)
    kinds = {
        "failed": [0], "to-review": [1], "in-review": [2], "reviewed": [3], "active": [4, 5], "all": list(range(6))
    }  # fmt: skip
    counts = ask()["list"]["counts"]
    for show, places in kinds.items():
        assert [name for _, name in names(ask(show=show))] == [f"file-{n}.wav" for n in places], show
        assert counts[show] == len(places), show
    assert [name for _, name in names(ask(q="FILE side"))] == ["file-5.wav"]
    assert names(ask(show="failed", q="file-3")) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Запись Мельница.mp3", "запись мельница"),
        ("ÄRZTE 1962.wav", "ärzte"),
        ("mu\u0308ller.wav", "MÜLLER"),
        ("müller.wav", "mu\u0308ller"),
        ("مقابلة.ogg", "مقابلة"),
    ],
)
def test_names_are_found_in_any_script_however_they_are_written(
    name: str, words: str, ask: Callable[..., dict[str, Any]], job_of: Callable[..., Job]
) -> None:
    entries = list(job_of(files=2).inputs.order_by("position"))
    Upload.objects.filter(pk=entries[1].upload_id).update(name=name)
    assert [found for _, found in names(ask(q=words))] == [name]


def test_a_new_name_undoes_nothing_that_happened_meanwhile(session: Session) -> None:
    form = SessionForm({"name": "Mill interviews"}, instance=Session.objects.get(pk=session.pk))
    assert form.is_valid()
    Session.note_change(pk=session.pk)
    trash.delete_session(session, "anna")
    form.rename()
    session.refresh_from_db()
    assert (session.name, session.state_version, session.deleted_at is None) == ("Mill interviews", 2, False)


@pytest.mark.parametrize(("name", "kept"), [(" Mill ", "Mill"), ("", ""), ("x" * 201, "")])
def test_a_session_is_renamed_on_its_page(name: str, kept: str, browser: Client, session: Session) -> None:
    page = browser.post(f"/sessions/{session.pk}/rename", {"name": name}, follow=True).content.decode()
    assert f"<h1>{kept or session.name}</h1>" in page
    assert ("The session was not renamed." in page) is not bool(kept)


def test_the_stamp_changes_with_all_that_the_page_shows(
    etag: Callable[[], str], browser: Client, session: Session, job_of: Callable[..., Job], worker: Worker
) -> None:
    seen = [etag()]

    def changed() -> None:
        seen.append(etag())
        assert len(set(seen)) == len(seen), f"step {len(seen)}"

    job = job_of(files=2)
    changed()
    claim(worker)
    changed()
    Worker.objects.update(unreachable_since=timezone.now())
    changed()
    Session.objects.filter(pk=session.pk).update(name="Mill")
    changed()
    browser.post(f"/api/jobs/{job.pk}/cancel")
    changed()
    browser.delete(f"/api/jobs/{job.pk}")
    changed()
    job_of()
    changed()


def test_what_ended_does_not_ask_for_what_others_do(
    etag: Callable[[], str], stranger: User, session: Session, job_of: Callable[..., Job], worker: Worker
) -> None:
    job_of()
    JobInput.objects.update(status="canceled")
    job = Job.objects.get()
    job.refresh_status()
    before = etag()
    Worker.objects.update(unreachable_since=timezone.now())
    assert etag() == before


def test_time_left_and_cost_are_told_of_what_runs(
    ask: Callable[..., dict[str, Any]], job_of: Callable[..., Job], worker: Worker
) -> None:
    Worker.objects.update(speeds={"base": 10.0}, price_per_hour="3.60")
    Worker.objects.update(capabilities={**worker.capabilities, "maxConcurrentJobs": 2})
    job_of(files=3)
    JobInput.objects.update(audio_duration=600.0)
    (attempt, _other) = claim(worker, 2)
    began = timezone.now() - timedelta(seconds=100)
    Attempt.objects.filter(pk=attempt.pk).update(began_at=began, ended_at=timezone.now())
    state = ask()
    (job,) = state["jobs"]
    assert job["etaSeconds"] == state["totals"]["etaSeconds"] is not None
    # 100 s of one of two at once of a box at 0.1 cents a second; three files of 60 s each still, two at once
    assert job["cost"] == pytest.approx(0.05 + 0.09, abs=0.011)
    assert state["totals"]["cost"] == job["cost"]
    Worker.objects.update(price_per_hour=None)
    assert ask()["totals"]["cost"] is None


@pytest.mark.parametrize("at_work", [False, True])
def test_a_page_asks_once_however_many_jobs_wait_or_run(
    at_work: bool, ask: Callable[..., dict[str, Any]], job_of: Callable[..., Job], worker: Worker
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            ask()
        return len(seen)

    def more(jobs: int) -> None:
        for _ in range(jobs):
            job_of()
        claim(worker, jobs * at_work)

    more(1)
    few = queries()
    more(5)
    assert queries() == few


def test_ends_and_how_far_the_rest_is(ask: Callable[..., dict[str, Any]], job_of: Callable[..., Job]) -> None:
    first, second = job_of(files=2), job_of(files=2)
    JobInput.objects.filter(job=first).update(status="complete", percent=100)
    first.refresh_status()
    JobInput.objects.filter(job=second, position=0).update(status="running", percent=50)
    state = ask()
    assert state["totals"]["activePercent"] == 25.0
    (end,) = state["ends"]
    assert (end["id"], end["files"], end["complete"], end["failed"]) == (str(first.pk), 2, 2, 0)


def test_all_new_files_are_those_in_which_something_can_be_heard(
    browser: Client, session: Session, upload_of: Callable[..., Upload], job_of: Callable[..., Job]
) -> None:
    for name, sound in (
        ("good.wav", {"audible": 5.0}), ("silent.wav", {"audible": 0.0}), ("text.mp3", {"problem": "unreadable"}),
    ):  # fmt: skip
        Sound.objects.create(upload=upload_of(name), **sound)
    upload_of("unseen.wav")
    used = job_of().inputs.get().upload
    assert {row.name for row in filters.wanted(session, [], all_new=True)} == {"good.wav", "unseen.wav"}
    order = {"allNew": True, "filesOf": str(used.inputs.get().job_id), "model": "base"}
    made = browser.post(f"/api/sessions/{session.pk}/jobs", order, content_type="application/json").json()
    assert [row["name"] for row in made["job"]["inputs"]] == ["good.wav", "unseen.wav", "file-0.wav"]


def test_an_address_says_only_what_is_not_usual() -> None:
    choice = Choice(show="failed", words="mill race", page=3)
    assert choice.address(page=1) == "show=failed&q=mill+race"
    assert Choice().address() == ""


def test_presets_are_ones_own_few_and_only_options(browser: Client, person: User, stranger: User) -> None:
    order = {"name": " Mill ", "options": {"language": "de", "hotwords": "Blackwater", "uploads": 3}}
    kept = browser.post("/api/presets", order, content_type="application/json").json()["preset"]
    assert kept["options"] == {"language": "de", "hotwords": "Blackwater"}
    browser.post("/api/presets", {**order, "options": {}}, content_type="application/json")
    assert [one.options for one in presets.of(person)] == [{}]
    other = Client()
    other.force_login(stranger)
    assert other.delete(f"/api/presets/{kept['id']}").status_code == 404
    for number in range(presets.MOST - 1):
        presets.keep(person, f"{number}", {})
    refused = browser.post("/api/presets", {"name": "more", "options": {}}, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "TOO_MANY_PRESETS")
    assert browser.delete(f"/api/presets/{kept['id']}").status_code == 204
