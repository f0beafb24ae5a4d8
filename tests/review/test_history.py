"""Edits through the API: all or none, once, merged with other people's, undone and done again."""

import uuid
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import Result
from review.edits.patches import is_doubtful
from review.edits.word_timing import words_from_json
from review.models import Edit, Segment, Transcript
from tests.review.page import Page, interview

Made = Callable[[dict[str, Any]], Transcript]


def essence(state: dict[str, Any]) -> dict[str, Any]:
    """A state without versions: what has to be as before."""
    bare = {name: value for name, value in state.items() if name != "version"}
    for name in ("segments", "speakers"):
        bare[name] = [{k: v for k, v in row.items() if k != "version"} for row in state[name]]
    return bare


def some_edits(page: Page) -> list[dict[str, Any]]:
    """Every kind once, on six segments of two speakers."""
    one, two, three, four, five, six = page.keys()
    anna, jonas = (row["key"] for row in page.get()["speakers"])
    new = [str(uuid.uuid4()) for _ in range(6)]
    return [
        {"kind": "SetText", "segment": one, "text": "So the old mill, closed early"},
        {"kind": "SetTimes", "segment": two, "start": 3.25, "end": 5.5},
        {"kind": "SetSpeaker", "segment": one, "speaker": jonas, "scope": "one"},
        {"kind": "SetSpeaker", "segment": three, "speaker": anna, "scope": "run"},
        {"kind": "SetSpeaker", "segment": one, "speaker": None, "scope": "everywhere"},
        {"kind": "Split", "segment": one, "at": 10, "newKey": new[0]},
        {"kind": "SplitThreeWay", "segment": two, "from": 7, "to": 9, "newKeys": new[1:3], "speaker": jonas},
        {"kind": "Merge", "segment": four, "with": "previous"},
        {"kind": "Insert", "after": five, "newKey": new[3], "start": 50.0, "end": 51.0, "text": "", "speaker": None},
        {"kind": "Delete", "segment": six},
        {"kind": "Highlight", "segment": one, "on": True},
        {"kind": "Check", "segment": two, "on": True},
        {"kind": "DismissFlag", "segment": five, "flag": "overlap"},
        {"kind": "AddSpeaker", "newKey": new[4], "name": "Maria"},
        {"kind": "RenameSpeaker", "speaker": anna, "name": "Anna <b>"},
        {"kind": "RecolourSpeaker", "speaker": anna, "colour": 7},
        {"kind": "SetHotkey", "speaker": anna, "hotkey": 2},
        {"kind": "MergeSpeakers", "from": anna, "into": jonas},
        {"kind": "SetStatus", "status": "second_look"},
        {"kind": "SetReviewer", "reviewer": "maria"},
        {"kind": "Restore", "segments": "all"},
    ]  # fmt: skip


def test_an_edit_changes_its_row_and_makes_a_version(page: Page) -> None:
    key = page.keys()[0]
    answer = page.edit("SetText", segment=key, text="So the old mill closed early")
    (row,) = answer["segments"]
    assert (row["text"], row["version"], answer["version"]) == ("So the old mill closed early", 1, 1)
    assert [word.text for word in words_from_json(row["words"])] == row["text"].split()
    assert row["machineText"] == "So the mill closed early"
    assert answer["transcript"] == {"reviewStatus": "in_review", "reviewer": "anna", "doubtful": 2}
    assert page.get()["segments"][0] == row


def test_a_batch_is_all_or_none(page: Page) -> None:
    before = page.get()
    one, two, *_ = page.keys()
    wrong = page.send(
        {"kind": "SetText", "segment": one, "text": "changed"},
        {"kind": "Split", "segment": two, "at": 0, "newKey": str(uuid.uuid4())},
    )
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "INVALID_SPLIT")
    assert page.get() == before
    assert not Edit.objects.exists()


def test_a_batch_whose_answer_was_lost_is_answered_again_and_applied_once(page: Page) -> None:
    one, two, *_ = page.keys()
    body = page.body(
        {"kind": "Merge", "segment": one, "with": "next"}, {"kind": "Check", "segment": one, "on": True}
    )
    first, second = page.post("/edits", body), page.post("/edits", body)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert first.json()["removed"] == [two]
    assert Edit.objects.count() == 2


def test_edits_of_others_on_other_rows_merge(page: Page, colleague: Page) -> None:
    one, two, *_ = page.keys()
    page.edit("SetText", segment=one, text="mine")
    colleague.edit("SetText", segment=two, text="theirs")
    texts = [row["text"] for row in page.get()["segments"][:2]]
    assert texts == ["mine", "theirs"]


@pytest.mark.parametrize("kind", ["SetText", "Delete", "Check"])
def test_an_edit_on_a_row_that_somebody_else_changed_is_a_conflict_with_the_row_as_it_is(
    page: Page, other_page: Page, kind: str
) -> None:
    one = page.keys()[0]
    page.edit("SetText", segment=one, text="mine")
    fields = {"SetText": {"text": "theirs"}, "Delete": {}, "Check": {"on": True}}[kind]
    late = other_page.send({"kind": kind, "segment": one, **fields})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "EDIT_CONFLICT")
    assert [row["text"] for row in late.json()["segments"]] == ["mine"]
    assert late.json()["version"] == 1
    again = other_page.send({"kind": kind, "segment": one, **fields}, base=1)
    assert again.status_code == 200


def test_an_edit_on_a_row_that_somebody_else_took_away_is_a_conflict(page: Page, other_page: Page) -> None:
    one = page.keys()[0]
    page.edit("Delete", segment=one)
    late = other_page.send({"kind": "SetText", "segment": one, "text": "theirs"})
    assert (late.status_code, late.json()["removed"]) == (409, [one])


def test_a_list_that_names_a_row_that_somebody_took_away_is_a_conflict(page: Page, other_page: Page) -> None:
    one, two, *_ = page.keys()
    page.edit("Delete", segment=one)
    late = other_page.send({"kind": "Restore", "segments": [two, one]})
    assert (late.status_code, late.json()["removed"]) == (409, [one])


def test_a_batch_of_which_a_part_was_made_before_is_refused(page: Page) -> None:
    one, two, *_ = page.keys()
    body = page.body({"kind": "Check", "segment": one, "on": True})
    page.post("/edits", body)
    fresh = page.body({"kind": "Check", "segment": two, "on": True})["edits"]
    refused = page.post("/edits", {**body, "edits": [*fresh, *body["edits"]]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "ID_TAKEN")
    assert Edit.objects.count() == 1


def test_whoever_edits_a_new_transcript_first_reviews_it_until_that_is_undone(
    page: Page, colleague: Page
) -> None:
    one, two, *_ = page.keys()
    page.edit("Check", segment=one, on=False)  # changes nothing: that is no review yet
    assert page.get()["reviewStatus"] == "new"
    page.edit("Check", segment=one, on=True)
    colleague.edit("Check", segment=two, on=True)
    assert (page.get()["reviewStatus"], page.get()["reviewer"]) == ("in_review", "anna")
    page.edit("Undo")
    assert (page.get()["reviewStatus"], page.get()["reviewer"]) == ("new", None)


def test_a_page_never_conflicts_with_itself(page: Page) -> None:
    one = page.keys()[0]
    for text in ("a", "b", "c"):
        assert page.send({"kind": "SetText", "segment": one, "text": text}, base=0).status_code == 200


def test_every_kind_is_undone_to_the_machines_transcript_and_done_again(page: Page) -> None:
    states = [essence(page.get())]
    for edit in some_edits(page):
        answer = page.send(edit)
        assert answer.status_code == 200, (edit, answer.content)
        states.append(essence(page.get()))
    changing = [(a, b) for a, b in pairwise(states) if a != b]
    for before, _after in reversed(changing):
        page.edit("Undo")
        assert essence(page.get()) == before
    assert page.send({"kind": "Undo"}).json()["error"]["code"] == "NOTHING_TO_UNDO"
    for _before, after in changing:
        page.edit("Redo")
        assert essence(page.get()) == after
    assert page.send({"kind": "Redo"}).json()["error"]["code"] == "NOTHING_TO_REDO"


def test_the_flagged_segments_are_counted_along(page: Page) -> None:
    for edit in some_edits(page):
        page.send(edit)
        state = page.get()
        assert state["doubtful"] == sum(map(is_doubtful, state["segments"])), edit["kind"]


def test_people_undo_their_own_edits(page: Page, colleague: Page) -> None:
    one, two, *_ = page.keys()
    page.edit("SetText", segment=one, text="mine")
    colleague.edit("SetText", segment=two, text="theirs")
    page.edit("Undo")
    assert [row["text"] for row in page.get()["segments"][:2]] == ["So the mill closed early", "theirs"]


def test_what_somebody_else_changed_since_is_not_undone(page: Page, colleague: Page) -> None:
    one = page.keys()[0]
    page.edit("SetText", segment=one, text="mine")
    colleague.base = 1
    colleague.edit("SetText", segment=one, text="theirs")
    refused = page.send({"kind": "Undo"})
    assert (refused.status_code, refused.json()["segments"][0]["text"]) == (409, "theirs")


def test_a_new_edit_ends_what_could_be_done_again(page: Page) -> None:
    one = page.keys()[0]
    page.edit("SetText", segment=one, text="a")
    page.edit("Undo")
    page.edit("Highlight", segment=one, on=True)
    assert page.send({"kind": "Redo"}).json()["error"]["code"] == "NOTHING_TO_REDO"


def test_a_deleted_segment_comes_back_though_its_place_was_taken(page: Page) -> None:
    one, two, three, *_ = page.keys()
    page.edit("Delete", segment=two)
    Segment.objects.filter(key=three).update(rank=Edit.objects.get().patch["segments"][0]["before"]["rank"])
    page.edit("Undo")
    assert page.keys()[:3] == [one, three, two]


def test_a_speaker_who_speaks_meanwhile_is_not_taken_away(page: Page, colleague: Page) -> None:
    new = str(uuid.uuid4())
    page.edit("AddSpeaker", newKey=new, name="Maria")
    colleague.base = 1
    colleague.edit("SetSpeaker", segment=page.keys()[0], speaker=new, scope="one")
    assert page.send({"kind": "Undo"}).status_code == 409
    assert page.get()["segments"][0]["speaker"] == new


def test_restore_brings_the_machines_own_word_times_back(page: Page) -> None:
    before = page.get()["segments"][0]
    page.edit("SetText", segment=before["key"], text="quite another text")
    page.edit("Restore", segments=[before["key"]])
    assert page.get()["segments"][0]["words"] == before["words"]


# What it costs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["SetText", "Split", "Merge", "Insert", "Delete", "Check", "Undo", "RenameSpeaker"]
)
def test_an_edit_costs_as_many_queries_in_a_long_transcript_as_in_a_short_one(
    browser: Any, transcript_of: Made, kind: str
) -> None:
    counts = []
    for count in (10, 2000):
        Transcript.objects.all().delete()
        Edit.objects.all().delete()
        Result.objects.all().delete()
        page = Page(browser, transcript_of(interview(count)))
        key = page.keys()[4]
        page.edit("Highlight", segment=key, on=True)
        new, speaker = str(uuid.uuid4()), page.get()["speakers"][0]["key"]
        fields: dict[str, dict[str, Any]] = {
            "SetText": {"segment": key, "text": "new"},
            "Split": {"segment": key, "at": 6, "newKey": new},
            "Merge": {"segment": key, "with": "next"},
            "Insert": {"after": key, "newKey": new, "start": 1.0, "end": 2.0, "text": "a", "speaker": None},
            "Delete": {"segment": key},
            "Check": {"segment": key, "on": True},
            "Undo": {},
            "RenameSpeaker": {"speaker": speaker, "name": "Anna"},
        }
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert page.send({"kind": kind, **fields[kind]}).status_code == 200
        counts.append(len(queries))
        with CaptureQueriesContext(connection) as queries:
            page.get(f"/changes?since={page.base}")
        assert len(queries) <= 10
    assert counts[0] == counts[1] <= 25, counts


def test_a_speaker_whose_adding_was_undone_is_gone_for_everybody(page: Page, colleague: Page) -> None:
    new = str(uuid.uuid4())
    added = page.edit("AddSpeaker", newKey=new, name="Maria")
    undone = page.edit("Undo")
    assert undone["removed"] == [new]
    assert colleague.get(f"/changes?since={added['version']}")["removed"] == [new]
    assert page.edit("Redo")["removed"] == []
    assert colleague.get(f"/changes?since={undone['version']}")["removed"] == []
