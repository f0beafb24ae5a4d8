"""The JSON of the review page: what it answers, what it refuses, for whom."""

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from jobs.models import Session
from review import timeline
from review.edits.edit_validation import KINDS
from review.exports import FORMATS
from review.exports.subtitles import cues
from review.models import Presence, Transcript
from tests.review.page import Page
from tests.review.test_history import essence, some_edits

ENDPOINTS = ["", "/changes?since=0", "/history", "/revisions", "/diff", "/revisions/1"]


@pytest.mark.parametrize("rest", ENDPOINTS)
def test_a_stranger_gets_nothing(stranger: User, talk: Transcript, rest: str) -> None:
    client = Client()
    client.force_login(stranger)
    assert client.get(f"/api/transcripts/{talk.pk}{rest}").status_code == 404
    assert client.get(f"/api/transcripts/{uuid.uuid4()}{rest}").status_code == 404
    assert Client().get(f"/api/transcripts/{talk.pk}{rest}").status_code == 401


def test_a_stranger_changes_nothing(stranger: User, talk: Transcript, session: Session) -> None:
    client = Client()
    client.force_login(stranger)
    bodies = {
        "/edits": {"baseVersion": 0, "edits": []},
        "/presence": {"client": str(uuid.uuid4())},
        "/revisions": {"name": "a"},
        "/revisions/1/restore": {},
    }
    for rest, body in bodies.items():
        sent = client.post(
            f"/api/transcripts/{talk.pk}{rest}", json.dumps(body), content_type="application/json"
        )
        assert sent.status_code == 404, rest
    assert client.get(f"/api/sessions/{session.pk}/review").status_code == 404


def test_the_state_has_what_the_page_needs(page: Page) -> None:
    state = page.get()
    assert (state["name"], state["language"], state["duration"]) == ("file-0.wav", "en", 60.0)
    assert (state["version"], state["reviewStatus"], state["reviewer"], state["doubtful"]) == (
        0,
        "new",
        None,
        2,
    )
    assert [(row["label"], row["colour"], row["hotkey"]) for row in state["speakers"]] == [
        ("SPEAKER_00", 1, 1),
        ("SPEAKER_01", 2, 2),
    ]
    flagged = state["segments"][1]
    assert flagged["flags"] == [{"kind": "low_confidence", "score": 0.6}, {"kind": "overlap", "score": 1.0}]
    assert flagged["words"][0] == ["Really", 3.0, 3.5, 0.9, 0, ""]
    assert state["speakers"][0]["key"] == state["segments"][0]["speaker"]


KEY = str(uuid.UUID(int=5))
HOSTILE: list[Any] = [
    {"kind": "SetText", "segment": KEY, "text": 5},
    {"kind": "SetText", "segment": KEY, "text": "a\0b"},
    {"kind": "SetText", "segment": KEY, "text": "a\ud800b"},
    {"kind": "SetText", "segment": KEY, "text": "a" * 200_001},
    {"kind": "SetText", "segment": ["a"], "text": "a"},
    {"kind": "SetText", "segment": "a" * 5000, "text": "a"},
    {"kind": "SetText", "segment": {"$ne": 1}, "text": "a"},
    {"kind": "SetTimes", "segment": KEY, "start": float("nan"), "end": 1},
    {"kind": "SetTimes", "segment": KEY, "start": 0, "end": float("inf")},
    {"kind": "SetTimes", "segment": KEY, "start": 0, "end": 10**400},
    {"kind": "SetTimes", "segment": KEY, "start": True, "end": 1},
    {"kind": "Split", "segment": KEY, "at": 1.5, "newKey": KEY},
    {"kind": "Split", "segment": KEY, "at": 10**30, "newKey": KEY},
    {"kind": "Split", "segment": KEY, "at": -1, "newKey": "\ud800"},
    {"kind": "SplitThreeWay", "segment": KEY, "from": 1, "to": 2, "newKeys": "ab"},
    {"kind": "Merge", "segment": KEY, "with": ["next"]},
    {"kind": "SetSpeaker", "segment": KEY, "speaker": 5, "scope": "one"},
    {"kind": "SetSpeaker", "segment": KEY, "scope": "one"},
    {"kind": "Highlight", "segment": KEY, "on": "true"},
    {"kind": "DismissFlag", "segment": KEY, "flag": None},
    {"kind": "AddSpeaker", "newKey": KEY, "name": "a\0"},
    {"kind": "AddSpeaker", "newKey": KEY, "name": "a" * 201},
    {"kind": "AddSpeaker", "newKey": KEY, "name": "\u3000\n"},
    {"kind": "RecolourSpeaker", "speaker": KEY, "colour": "red"},
    {"kind": "SetHotkey", "speaker": KEY, "hotkey": 0},
    {"kind": "Restore", "segments": []},
    {"kind": "Restore", "segments": [None]},
    {"kind": "SetStatus", "status": ["done"]},
    {"kind": "SetReviewer", "reviewer": {"a": 1}},
    {"kind": {"a": 1}},
    {"kind": "__class__"},
    {"kind": "RestoreRevision", "revision": 1},
    {},
]


@pytest.mark.parametrize("edit", HOSTILE, ids=lambda edit: str(edit)[:60].encode("ascii", "replace").decode())
def test_nonsense_is_refused_in_words(page: Page, edit: dict[str, Any]) -> None:
    before = page.get()
    if edit.get("segment") == KEY:
        edit = {**edit, "segment": before["segments"][0]["key"]}
    answer = page.send(edit)
    assert answer.status_code == 422, answer.content
    assert answer.json()["error"]["message"]
    assert page.get() == before


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"baseVersion": NaN, "edits": []}', b"[" * 100_000,
        {"baseVersion": 0, "edits": []}, {"baseVersion": 0, "edits": [5]}, {"baseVersion": -1, "edits": [{}]},
        {"baseVersion": 2**63, "edits": [{}]}, {"baseVersion": True, "edits": [{}]}, {"baseVersion": 99, "edits": [{}]},
        {"baseVersion": 0, "client": "me", "edits": [{}]}, {"baseVersion": 0, "edits": {"a": 1}},
        {"baseVersion": 0, "edits": [{"id": "\ud800", "kind": "Undo"}]}, {"edits": [{}]},
        {"baseVersion": 0, "edits": [{"id": KEY, "kind": "Undo"}, {"id": KEY, "kind": "Undo"}]},
        {"baseVersion": 0, "edits": [{"id": KEY, "kind": "Undo"}, {"id": str(uuid.UUID(int=6)), "kind": "Undo"}]},
    ],
    ids=lambda body: str(body)[:50].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_a_body_that_is_none_is_refused(page: Page, body: Any) -> None:
    answer = page.post("/edits", body)
    assert 400 <= answer.status_code < 500, answer.content
    assert answer.json()["error"]["code"]


def test_too_much_at_once_is_refused(page: Page) -> None:
    many = page.send(*({"kind": "Undo"} for _ in range(201)))
    large = page.send({"kind": "SetText", "segment": KEY, "text": "a" * 2**20})
    huge = page.send({"kind": "SetText", "segment": KEY, "text": "a" * 2**22})
    assert (many.status_code, large.status_code) == (413, 413)
    assert 400 <= huge.status_code < 500


@pytest.mark.parametrize("rest", ["/changes?since=x", "/changes?since=-1", "/changes?since=" + "9" * 30,
                                  "/history?before=x", "/revisions/" + "9" * 30])  # fmt: skip
def test_numbers_that_are_none_are_refused(page: Page, rest: str) -> None:
    assert 400 <= page.browser.get(page.url(rest)).status_code < 500


def test_presence_says_who_is_where_and_forgets_who_left(page: Page, other_page: Page) -> None:
    one = page.keys()[0]
    page.post("/presence", {"client": page.client, "segment": one})
    people = other_page.post("/presence", {"client": other_page.client, "segment": None}).json()["people"]
    assert [(row["name"], row["segment"]) for row in people] == [("anna", one), ("anna", None)]
    Presence.objects.filter(client=page.client).update(at=timezone.now() - timezone.timedelta(seconds=21))
    assert len(page.get("/changes?since=0")["people"]) == 1
    other_page.post("/presence", {"client": other_page.client})
    assert Presence.objects.count() == 1


def test_another_page_catches_up(page: Page, other_page: Page) -> None:
    state = other_page.get()
    for edit in some_edits(page):
        page.edit(edit.pop("kind"), **edit)
        news = other_page.get(f"/changes?since={state['version']}")
        rows = {row["key"]: row for row in state["segments"]} | {row["key"]: row for row in news["segments"]}
        people = {row["key"]: row for row in state["speakers"]} | {
            row["key"]: row for row in news["speakers"]
        }
        kept = (row for key, row in rows.items() if key not in news["removed"])
        state |= {"version": news["version"], **news["transcript"], "speakers": list(people.values())}
        state["segments"] = sorted(kept, key=lambda row: row["rank"])
        assert state == page.get()


def test_the_history_is_told_newest_first_a_page_at_a_time(page: Page) -> None:
    one = page.keys()[0]
    for number in range(60):
        page.edit("Highlight", segment=one, on=number % 2 == 0)
    first = page.get("/history")["edits"]
    rest = page.get(f"/history?before={first[-1]['seq']}")["edits"]
    assert [row["seq"] for row in first + rest] == list(range(60, 0, -1))
    assert (first[0]["who"], first[0]["what"], first[0]["segments"]) == ("anna", "changed a highlight", [one])


def test_a_version_gives_a_digit_back_that_somebody_has_who_goes(page: Page) -> None:
    made = page.post("/revisions", {"name": "before"}).json()["revision"]
    first = page.get()["speakers"][0]
    page.edit("SetHotkey", speaker=first["key"], hotkey=None)
    page.edit("AddSpeaker", newKey=str(uuid.uuid4()), name="Maria")
    assert [row["hotkey"] for row in page.get()["speakers"]] == [None, 2, first["hotkey"]]
    assert page.post(f"/revisions/{made['id']}/restore", {}).status_code == 200
    assert [row["hotkey"] for row in page.get()["speakers"]] == [first["hotkey"], 2]


def test_a_segment_is_not_given_again_to_a_speaker_whom_somebody_took_away(
    page: Page, colleague: Page
) -> None:
    made = page.post("/revisions", {"name": "before"}).json()["revision"]
    speaker = str(uuid.uuid4())
    page.edit("AddSpeaker", newKey=speaker, name="Maria")
    page.edit("SetSpeaker", segment=page.keys()[0], speaker=speaker, scope="one")
    page.edit("Undo")
    assert colleague.post(f"/revisions/{made['id']}/restore", {}).status_code == 200
    refused = page.send({"kind": "Redo"}, base=page.get()["version"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "EDIT_CONFLICT")


def test_a_version_brings_a_state_back_and_is_undone(page: Page) -> None:
    page.edit("RenameSpeaker", speaker=page.get()["speakers"][0]["key"], name="Anna")
    then = essence(page.get())
    made = page.post("/revisions", {"name": " first  draft "}).json()["revision"]
    for edit in some_edits(page):
        page.send(edit)
    now = essence(page.get())
    assert page.get(f"/revisions/{made['id']}")["state"]["segments"] == [
        {**row, "version": 0} for row in then["segments"]
    ]
    body = {"id": str(uuid.uuid4()), "client": page.client}
    restored = page.post(f"/revisions/{made['id']}/restore", body)
    assert (restored.status_code, essence(page.get())) == (200, then)
    assert page.post(f"/revisions/{made['id']}/restore", body).json()["version"] == restored.json()["version"]
    page.edit("Undo")
    assert essence(page.get()) == now
    assert [row["name"] for row in page.get("/revisions")["revisions"]] == ["first draft"]
    assert page.post("/revisions", {"name": "\0"}).status_code == 422


def test_the_difference_to_the_machine_is_what_people_changed(page: Page) -> None:
    one = page.keys()[0]
    assert page.get("/diff") == {"segments": []}
    page.edit("SetText", segment=one, text="So")
    assert page.get("/diff")["segments"] == [
        {"key": one, "start": 0.0, "text": "So", "machineText": "So the mill closed early"}
    ]


def test_the_queue_says_what_is_left(page: Page, session: Session) -> None:
    one, *_ = page.keys()
    (file,) = page.browser.get(f"/api/sessions/{session.pk}/review").json()["files"]
    assert (file["reviewStatus"], file["doubtful"], file["secondsLeft"]) == ("new", 2, 13.0)
    page.edit("Check", segment=one, on=True)
    page.edit("SetStatus", status="done")
    answer = page.browser.get(f"/api/sessions/{session.pk}/review").json()
    assert answer["files"][0]["secondsLeft"] == 0
    assert answer["totals"]["statuses"] == {"new": 0, "in_review": 0, "second_look": 0, "done": 1}


def exported(state: dict[str, Any]) -> list[tuple[str, str]]:
    """What every format has to hold: who says what, in order, from the state the API gives."""
    names = {row["key"]: row["name"] or row["label"] for row in state["speakers"]}
    return [(names.get(row["speaker"], ""), " ".join(row["text"].split())) for row in state["segments"]]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("number", range(21))
def test_every_format_holds_the_state_after_every_edit(page: Page, number: int, format: str) -> None:
    edit = some_edits(page)[number]
    assert page.send(edit).status_code == 200
    said = exported(page.get())
    file = page.browser.get(f"/transcripts/{page.transcript.pk}/download.{format}").content.decode()
    assert page.browser.get(f"/transcripts/{page.transcript.pk}/").status_code == 200
    READERS[format](file, said, timeline.of(page.transcript))


def read_json(file: str, said: list[tuple[str, str]], _state: timeline.Timeline) -> None:
    rows = json.loads(file)["segments"]
    assert [(row.get("speaker", ""), " ".join(row["text"].split())) for row in rows] == said
    for row in rows:
        assert " ".join("".join(word["word"] for word in row["words"]).split()) == " ".join(
            row["text"].split()
        )


def read_txt(file: str, said: list[tuple[str, str]], _state: timeline.Timeline) -> None:
    speaker, found = "", []
    for line in file.rstrip("\n").split("\n") if said else []:
        if line.endswith(":"):
            speaker = line[:-1]
        elif line:
            found.append((speaker, line))
    expected = [(name, text) for name, text in said if text]
    if all(name for name, _ in expected):
        assert found == expected
    assert [text for _, text in found] == [text for _, text in expected]


def read_markdown(file: str, said: list[tuple[str, str]], _state: timeline.Timeline) -> None:
    for name, text in said:
        assert text in file
        assert not name or f"**{name}**" in file


def read_cues(file: str, said: list[tuple[str, str]], state: timeline.Timeline) -> None:
    spoken = " ".join(cue.text.replace("\n", " ") for cue in cues(state))
    assert spoken.split() == " ".join(text for _, text in said).split()
    assert file.count(" --> ") == len(list(cues(state)))
    for name in {name for name, text in said if text}:
        assert name in file or name.replace("<", "&lt;").replace(">", "&gt;") in file


READERS = {"txt": read_txt, "md": read_markdown, "srt": read_cues, "vtt": read_cues, "json": read_json}


def test_every_kind_of_edit_is_tried_on_every_format(page: Page) -> None:
    tried = {edit["kind"] for edit in some_edits(page)}
    assert tried == set(KINDS) - {"Undo", "Redo"}
    assert len(some_edits(page)) == 21
