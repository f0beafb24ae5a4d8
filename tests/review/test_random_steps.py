"""Whatever people do, undo, do again and bring back, the machine's transcript can be had again."""

import uuid
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from review.edits.patches import is_doubtful
from review.models import Edit
from tests.review.memory import MemoryState
from tests.review.page import Page
from tests.review.test_edits import check_state, drawn_edit
from tests.review.test_history import essence

ONE_DATABASE = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ROWS = ["segments", "speakers"]
STEPS = ["edit", "edit", "edit", "Undo", "Undo", "Redo", "keep", "restore"]


def step(data: st.DataObject, page: Page, kept: list[int]) -> int:
    """Do something by chance; the status of the answer."""
    what = data.draw(st.sampled_from(STEPS))
    if what == "keep":
        kept.append(keep(page))
        return 200
    if what == "restore":
        return restore(page, data.draw(st.sampled_from(kept)))
    whole = page.get()
    edit = data.draw(drawn_edit(MemoryState(whole))) if what == "edit" else {"kind": what}
    return int(page.send(edit, base=max(0, whole["version"] - 1)).status_code)


def keep(page: Page) -> int:
    return int(page.post("/revisions", {"name": "kept"}).json()["revision"]["id"])


def restore(page: Page, version: int) -> int:
    body = {"id": str(uuid.uuid4()), "client": page.client}
    return int(page.post(f"/revisions/{version}/restore", body).status_code)


def check(page: Page) -> dict[str, Any]:
    whole: dict[str, Any] = page.get()
    check_state(MemoryState(whole))
    assert whole["doubtful"] == sum(map(is_doubtful, whole["segments"]))
    return whole


@ONE_DATABASE
@given(data=st.data())
def test_all_that_one_person_did_is_undone_to_the_machines_transcript(
    page: Page, data: st.DataObject
) -> None:
    machine = essence(page.get())
    kept = [keep(page)]
    for _ in range(data.draw(st.integers(1, 14))):
        assert step(data, page, kept) in (200, 422)
        check(page)
    done = essence(page.get())
    count = 0
    while page.send({"kind": "Undo"}).status_code == 200:
        count += 1
    assert essence(page.get()) == machine
    for _ in range(count):
        assert page.send({"kind": "Redo"}).status_code == 200
    assert essence(page.get()) == done
    assert restore(page, kept[0]) == 200
    Edit.objects.all().delete()


@ONE_DATABASE
@given(data=st.data())
def test_two_people_in_any_order_leave_a_sound_transcript_that_can_be_brought_back(
    page: Page, colleague: Page, data: st.DataObject
) -> None:
    machine = essence(page.get())
    kept = [keep(page)]
    for _ in range(data.draw(st.integers(1, 16))):
        who = data.draw(st.sampled_from([page, colleague]))
        assert step(data, who, kept) in (200, 409, 422)
        check(who)
    assert restore(page, kept[0]) == 200
    brought_back = essence(check(page))  # which is a step too: the review may have begun with it
    assert [brought_back[name] for name in ROWS] == [machine[name] for name in ROWS]
    Edit.objects.all().delete()
