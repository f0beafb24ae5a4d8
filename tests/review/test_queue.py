"""The review queue: what is left of a session, in which order, and where to go next."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from gpu_worker.shared.protocol import Options
from jobs import batches
from jobs.models import Job, JobInput, Session, Upload
from review import queue
from review.edits.patches import unchecked_seconds
from review.models import Segment, Transcript
from tests.review.page import Page
from tests.review.test_history import some_edits

Made = Callable[..., Transcript]
HOSTILE = '<script>alert(1)</script>" onclick="x \u202e{{ 7|add:7 }}.wav'


@pytest.fixture
def file_of(session: Session, person: User, upload_of: Callable[..., Upload]) -> Made:
    """Make a transcript without segments; `again` is the transcript whose recording it is of."""

    def make(name: str = "mill.wav", again: Transcript | None = None, **fields: Any) -> Transcript:
        upload = again.job_input.upload if again else upload_of(name)
        job = batches.create_job(
            session, [upload], Options(model="base"), use_remote=False, created_by=person
        )
        fields = {"created_at": timezone.now(), "model": "tiny.en", **fields}
        return Transcript.objects.create(job_input=job.inputs.get(), **fields)

    return make


def names(session: Session) -> list[str]:
    return [file.name for file in queue.of(session)]


def url(session: Session, present: Transcript | None = None) -> str:
    return f"/api/sessions/{session.pk}/review" + (f"?present={present.pk}" if present else "")


def going_to(browser: Client, session: Session, present: Transcript) -> str | None:
    answer = browser.get(url(session, present)).json()
    return next((file["name"] for file in answer["files"] if file["id"] == answer["next"]), None)


def test_the_most_flagged_come_first_and_what_is_done_last(session: Session, file_of: Made) -> None:
    file_of("few.wav", doubtful=1)
    file_of("done.wav", doubtful=50, review_status="done")
    file_of("clear.wav", doubtful=0)
    file_of("many.wav", doubtful=9)
    file_of("as-many-but-later.wav", doubtful=9)
    assert names(session) == ["many.wav", "as-many-but-later.wav", "few.wav", "clear.wav", "done.wav"]


def test_totals_are_of_what_is_left(browser: Client, session: Session, file_of: Made) -> None:
    file_of(doubtful=3, unchecked_seconds=90)
    file_of(doubtful=4, unchecked_seconds=60, review_status="in_review")
    file_of(doubtful=5, unchecked_seconds=600, review_status="done")
    found = browser.get(url(session)).json()["totals"]
    assert (found["files"], found["done"], found["doubtful"], found["secondsLeft"]) == (3, 1, 7, 150)
    assert found["statuses"] == {"new": 1, "in_review": 1, "second_look": 0, "done": 1}


def test_the_next_file_is_the_next_of_the_queue_and_round_to_the_top(
    browser: Client, session: Session, file_of: Made
) -> None:
    first, second, third = (file_of(f"{n}.wav", doubtful=9 - n) for n in range(3))
    file_of("done.wav", review_status="done")
    assert going_to(browser, session, first) == "1.wav"
    assert going_to(browser, session, third) == "0.wav"
    Transcript.objects.filter(pk=second.pk).update(review_status="done")
    assert going_to(browser, session, second) == "0.wav", "from a file that is done to the most doubtful"
    assert going_to(browser, session, first) == "2.wav"


def test_what_somebody_else_reviews_comes_after_the_rest(
    browser: Client, session: Session, file_of: Made
) -> None:
    here = file_of("here.wav", doubtful=9)
    theirs = file_of("theirs.wav", doubtful=8, review_status="in_review", reviewer="jonas")
    file_of("mine.wav", doubtful=7, review_status="in_review", reviewer="anna")
    assert going_to(browser, session, here) == "mine.wav"
    Transcript.objects.filter(pk=theirs.pk).update(review_status="second_look")
    assert going_to(browser, session, here) == "theirs.wav", "they ask for somebody to look"
    Transcript.objects.filter(pk=theirs.pk).update(review_status="in_review")
    Transcript.objects.exclude(pk=theirs.pk).update(review_status="done")
    assert going_to(browser, session, here) == "theirs.wav", "better than nothing"
    Transcript.objects.update(review_status="done")
    assert going_to(browser, session, here) is None


@pytest.mark.parametrize("status", Transcript.ReviewStatus.values)
def test_an_older_version_is_no_work_whatever_was_done_in_it(
    browser: Client, session: Session, file_of: Made, status: str
) -> None:
    old = file_of("mill.wav", doubtful=9, unchecked_seconds=60, review_status=status)
    new = file_of(again=old, doubtful=1, unchecked_seconds=60, model="large-v3")
    other = file_of("flood.wav", doubtful=5)
    found = queue.of(session)
    assert [(file.id, file.is_older) for file in found] == [
        (str(other.pk), False), (str(new.pk), False), (str(old.pk), True)
    ]  # fmt: skip
    totals = queue.totals(found)
    assert (totals.files, totals.done, totals.doubtful) == (2, 0, 6)
    assert sum(totals.statuses.values()) == 2
    assert going_to(browser, session, new) == "flood.wav"
    Transcript.objects.filter(pk=other.pk).update(review_status="done")
    assert going_to(browser, session, new) is None
    assert browser.get(url(session, old)).json()["next"] == str(new.pk), "from the older one to the newest"


def test_the_page_names_the_other_transcripts_of_the_recording(
    browser: Client, file_of: Made, talk: Transcript
) -> None:
    newer = file_of(again=talk, model="<b>large-v3</b>")
    content = browser.get(f"/transcripts/{talk.pk}/").content.decode()
    line = content.split("Other transcripts of this recording")[1].split("</p>")[0]
    assert f'href="/transcripts/{newer.pk}/"' in line
    assert "&lt;b&gt;large-v3&lt;/b&gt;" in line and "newer" in line and "older" not in line
    assert "older" in browser.get(f"/transcripts/{newer.pk}/").content.decode()


def test_an_answer_that_is_known_is_not_sent_again(browser: Client, session: Session, file_of: Made) -> None:
    one = file_of()
    known = {"If-None-Match": browser.get(url(session))["ETag"]}
    assert browser.get(url(session), headers=known).status_code == 304
    Transcript.objects.filter(pk=one.pk).update(reviewer="jonas")
    assert browser.get(url(session), headers=known).status_code == 200


def test_a_stranger_sees_no_queue(stranger: User, session: Session, file_of: Made) -> None:
    client, present = Client(), file_of()
    client.force_login(stranger)
    for address in (url(session), url(session, present), f"/transcripts/{present.pk}/"):
        assert client.get(address).status_code == 404
    other = Session.objects.create(owner=stranger, name="Theirs")
    answer = client.get(url(other, present)).json()
    assert (answer["files"], answer["next"]) == ([], None)


def test_nonsense_for_the_present_file_is_refused(browser: Client, session: Session, file_of: Made) -> None:
    file_of("mill.wav")
    assert browser.get(f"/api/sessions/{session.pk}/review?present=../etc").status_code == 400
    unknown = browser.get(f"/api/sessions/{session.pk}/review?present={uuid.uuid4()}").json()
    assert unknown["next"] == unknown["files"][0]["id"]


def test_many_files_cost_one_query_and_no_segment_is_read(
    session: Session, file_of: Made, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        file_of(f"{number}.wav")
    with django_assert_num_queries(1) as asked:
        assert len(queue.of(session)) == 30
    assert "review_segment" not in asked.captured_queries[0]["sql"]


def test_what_nobody_has_checked_is_counted_along_with_every_edit(page: Page) -> None:
    for edit in some_edits(page):
        assert page.send(edit).status_code == 200
        check_count(page.transcript)
    page.send({"kind": "Undo"})
    check_count(page.transcript)
    rows = Segment.objects.filter(transcript=page.transcript).values_list("key", flat=True)
    page.base = page.get()["version"]
    for key in rows:
        page.edit("Check", segment=str(key), on=True)
    page.transcript.refresh_from_db()
    assert page.transcript.unchecked_seconds == 0


def check_count(transcript: Transcript) -> None:
    transcript.refresh_from_db()
    rows = transcript.segments.values("start", "end", "checked")
    assert transcript.unchecked_seconds == pytest.approx(unchecked_seconds(rows), abs=0.002)


# The first paint, which is also what there is without JavaScript ------------------------------------


def test_the_page_has_the_queue_before_any_script_runs(browser: Client, file_of: Made) -> None:
    present = file_of("here.wav", doubtful=3, reviewer="jonas", review_status="in_review")
    other = file_of(HOSTILE, doubtful=1)
    content = browser.get(f"/transcripts/{present.pk}/").content.decode()
    zone = content.split("<review-queue", 1)[1].split("</review-queue>")[0].split("<template")[0]
    assert zone.count('aria-current="page"') == 1
    assert f'href="/transcripts/{other.pk}/"' in zone
    assert "jonas" in zone and "3 flagged" in zone
    assert "<script>alert" not in content and "14.wav" not in content
    assert '" onclick="x' not in content


def test_the_first_paint_has_a_part_of_a_long_queue_with_the_present_file(
    browser: Client, session: Session, file_of: Made
) -> None:
    made = [file_of(f"{number:03}.wav", doubtful=200 - number) for number in range(120)]
    address = f"/transcripts/{made[100].pk}/"
    part = browser.get(address).content.decode()
    assert part.count('<li class="queue-row') == 50 + 1, "and the row of the template"
    assert 'aria-current="page"' in part and "120" in part
    whole = browser.get(f"{address}?queue=all").content.decode()
    assert whole.count('<li class="queue-row') == 120 + 1
    assert [file.name for file in queue.around(queue.of(session), made[0].pk, 2)] == ["000.wav", "001.wav"]


def test_the_page_leads_on_without_a_script(
    browser: Client, file_of: Made, job_of: Callable[..., Job]
) -> None:
    job_of()  # not transcribed yet: not in the queue
    present, following = file_of("a.wav", doubtful=2), file_of("b.wav", doubtful=1)
    content = browser.get(f"/transcripts/{present.pk}/").content.decode()
    link = content.split('data-part="next"')[0].rsplit("<a", 1)[1]
    assert f'href="/transcripts/{following.pk}/"' in link
    assert JobInput.objects.count() == 3
