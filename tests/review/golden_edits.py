"""The inputs of tests/golden/edits.json."""
# ruff: noqa: E501 - a case a line

from typing import Any

from tests.review.golden_timing import Words, words

Row = dict[str, Any]


def key(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


NEW, NEWER, UNKNOWN = key(91), key(92), key(99)
ANNA, JONAS, GONE = key(11), key(12), key(13)
ONE, TWO, THREE, FOUR = key(1), key(2), key(3), key(4)


def speaker(pk: str, label: str, colour: int, **fields: Any) -> Row:
    row = {"key": pk, "label": label, "name": "", "colour": colour, "hotkey": colour, "removed": False}
    return {**row, **fields}


def segment(pk: str, rank: str, start: float, text: str, **fields: Any) -> Row:
    """A segment of half a second a word."""
    row = {
        "key": pk,
        "rank": rank,
        "start": start,
        "end": start + 0.5 * len(text.split()),
        "text": text,
        "words": words(text, start),
        "speaker": ANNA,
        "flags": [],
        "highlighted": False,
        "checked": False,
        "machineText": text,
    }
    return {**row, **fields}


FLAGGED = [{"kind": "low_confidence", "score": 0.6}, {"kind": "overlap", "score": 0.2}]
SEGMENTS = [
    segment(ONE, "9i", 0.0, "So the mill closed early"),
    segment(TWO, "ii", 3.0, "Really in the spring", flags=FLAGGED),
    segment(THREE, "ri", 6.0, "Yes", speaker=JONAS, flags=[{"kind": "overlap", "score": 0.4, "dismissed": True}]),
]  # fmt: skip
SPEAKERS = [speaker(ANNA, "SPEAKER_00", 1), speaker(JONAS, "SPEAKER_01", 2)]


def state(*segments: Row, **fields: Any) -> Row:
    whole = {"duration": 60.0, "reviewStatus": "new", "reviewer": None, "speakers": SPEAKERS}
    return {**whole, "segments": list(segments or SEGMENTS), **fields}


def case(name: str, kind: str, whole: Row | None = None, /, **fields: Any) -> Row:
    """`from_` and `with_` stand for fields that Python keeps for itself."""
    named = {field.rstrip("_"): value for field, value in fields.items()}
    return {"name": name, "state": whole or state(), "edit": {"kind": kind, **named}}


def chinese(text: str, start: float) -> Words:
    return [
        [text[n : n + 2], start + 0.2 * n, start + 0.2 * n + 0.4, 0.9, 0, ""] for n in range(0, len(text), 2)
    ]


CHINESE = state(
    segment(ONE, "9i", 0.0, "我们昨天去了", end=1.2, words=[["我们", 0.0, 0.4, 0.9, 0, ""], ["昨天", 0.4, 0.8, 0.8, 0, ""], ["去了", 0.8, 1.2, 0.7, 0, ""]]),
    segment(TWO, "ii", 1.5, "公园。", end=2.0, words=[["公园。", 1.5, 2.0, 0.9, 0, ""]]),
)  # fmt: skip
HEBREW = state(segment(ONE, "9i", 0.0, "שלום לכולם היום"), segment(TWO, "ii", 2.0, "תודה"))
PARTY = state(segment(ONE, "9i", 0.0, "🎉🎉 well 👩🏽‍🌾 done"))
WORDLESS = state(
    segment(ONE, "9i", 0.0, "So the mill", words=[]), segment(TWO, "ii", 2.0, "closed early", words=[])
)
HALF_WORDLESS = state(
    segment(ONE, "9i", 0.0, "So the mill"), segment(TWO, "ii", 2.0, "closed early", words=[])
)
EDITED = state(
    segment(ONE, "9i", 0.0, "So the old mall closed", machineText="So the mill closed early"),
    segment(TWO, "ii", 3.0, "Really"),
    segment(THREE, "ri", 4.0, "Added by hand", machineText=""),
)
MERGED_AWAY = state(speakers=[*SPEAKERS, speaker(GONE, "SPEAKER_02", 3, removed=True, hotkey=None)])
BOTH_FLAGGED = state(
    segment(ONE, "9i", 0.0, "So the mill", flags=[{"kind": "overlap", "score": 0.2, "dismissed": True}, {"kind": "too_fast", "score": 0.3}], highlighted=True, checked=True),
    segment(TWO, "ii", 2.0, "closed early", flags=[{"kind": "repetition", "score": 0.5}, {"kind": "overlap", "score": 0.7, "dismissed": True}], checked=True, speaker=JONAS),
)  # fmt: skip
CLOSE_RANKS = state(segment(ONE, "9i", 0.0, "So the mill"), segment(TWO, "9j", 2.0, "closed early"))
TEN = state(
    speakers=[
        speaker(key(20 + n), f"SPEAKER_{n:02}", n % 9 + 1, hotkey=n + 1 if n < 9 else None) for n in range(10)
    ]
)

TEXT = [
    case("SetText", "SetText", segment=ONE, text="So the old mill closed early"),
    case("SetText with the same text", "SetText", segment=ONE, text="So the mill closed early"),
    case("SetText to nothing", "SetText", segment=ONE, text=""),
    case(
        "SetText keeps its spaces, its words have none",
        "SetText",
        segment=ONE,
        text=" So the mill\nclosed early ",
    ),
    case("SetText, punctuation only", "SetText", segment=ONE, text="So, the mill closed early."),
    case("SetText, flags stay", "SetText", segment=TWO, text="Really, in the summer"),
    case("SetText, Chinese without spaces", "SetText", CHINESE, segment=ONE, text="我们今天也去了"),
    case("SetText, right to left", "SetText", HEBREW, segment=ONE, text="שלום לכולם כאן היום"),
    case("SetText, four-byte characters", "SetText", PARTY, segment=ONE, text="🎉 well 👩🏽‍🌾 done 🎉"),
    case("SetText, a hundred thousand characters", "SetText", segment=THREE, text={"repeat": ["a", 100_000]}),
    case("SetText without words before", "SetText", WORDLESS, segment=ONE, text="So the old mill"),
    case("SetText of an unknown segment", "SetText", segment=UNKNOWN, text="So"),
    case("SetText without text", "SetText", segment=ONE),
    case("SetText too long", "SetText", segment=ONE, text={"repeat": ["a", 200_001]}),
    case("SetText with NUL", "SetText", segment=ONE, text="a\0b"),
    case("SetTimes", "SetTimes", segment=ONE, start=0.25, end=3.0),
    case("SetTimes, rounded to milliseconds", "SetTimes", segment=ONE, start=0.1234567, end=2.9996),
    case("SetTimes elsewhere", "SetTimes", segment=ONE, start=10.0, end=15.0),
    case("SetTimes inverted", "SetTimes", segment=ONE, start=2.0, end=1.0),
    case("SetTimes before the recording", "SetTimes", segment=ONE, start=-1.0, end=1.0),
    case("SetTimes behind the recording", "SetTimes", segment=ONE, start=0.0, end=60.5),
    case("SetTimes that are no numbers", "SetTimes", segment=ONE, start="0", end=True),
    case("Highlight", "Highlight", segment=ONE, on=True),
    case("Highlight what is not", "Highlight", segment=ONE, on=False),
    case("Check", "Check", segment=TWO, on=True),
    case("DismissFlag", "DismissFlag", segment=TWO, flag="overlap"),
    case("DismissFlag again", "DismissFlag", segment=THREE, flag="overlap"),
    case("DismissFlag that is not there", "DismissFlag", segment=ONE, flag="overlap"),
    case("Delete", "Delete", segment=TWO),
    case("Delete an unknown segment", "Delete", segment=UNKNOWN),
    case("Restore", "Restore", EDITED, segments=[ONE]),
    case("Restore what nobody changed", "Restore", EDITED, segments=[TWO]),
    case("Restore all leaves what the machine never said", "Restore", EDITED, segments="all"),
    case("Restore an unknown segment", "Restore", EDITED, segments=[UNKNOWN]),
]
SHAPE = [
    case("Split at a space", "Split", segment=ONE, at=6, newKey=NEW),
    case("Split inside a word", "Split", segment=ONE, at=9, newKey=NEW),
    case("Split, flags go to the larger part", "Split", segment=TWO, at=6, newKey=NEW),
    case("Split in the middle: flags stay", "Split", state(segment(ONE, "9i", 0.0, "one two", flags=FLAGGED, highlighted=True)), segment=ONE, at=3, newKey=NEW),
    case("Split of the last", "Split", state(segment(ONE, "z", 0.0, "one two")), segment=ONE, at=3, newKey=NEW),
    case("Split where ranks are close", "Split", CLOSE_RANKS, segment=ONE, at=2, newKey=NEW),
    case("Split, Chinese without spaces", "Split", CHINESE, segment=ONE, at=3, newKey=NEW),
    case("Split, right to left", "Split", HEBREW, segment=ONE, at=4, newKey=NEW),
    case("Split, four-byte characters", "Split", PARTY, segment=ONE, at=2, newKey=NEW),
    case("Split without words", "Split", WORDLESS, segment=ONE, at=6, newKey=NEW),
    case("Split of a changed text: the machine's text follows", "Split", EDITED, segment=ONE, at=10, newKey=NEW),
    case("Split at the start", "Split", segment=ONE, at=0, newKey=NEW),
    case("Split at the end", "Split", segment=ONE, at=24, newKey=NEW),
    case("Split with only a space behind", "Split", state(segment(ONE, "9i", 0.0, "one two ")), segment=ONE, at=7, newKey=NEW),
    case("Split behind the end", "Split", segment=ONE, at=25, newKey=NEW),
    case("Split before the start", "Split", segment=ONE, at=-1, newKey=NEW),
    case("Split to a key that is taken", "Split", segment=ONE, at=6, newKey=TWO),
    case("SplitThreeWay", "SplitThreeWay", segment=ONE, from_=3, to=11, newKeys=[NEW, NEWER], speaker=JONAS),
    case("SplitThreeWay with spaces selected", "SplitThreeWay", segment=ONE, from_=2, to=12, newKeys=[NEW, NEWER]),
    case("SplitThreeWay to nobody", "SplitThreeWay", segment=ONE, from_=3, to=11, newKeys=[NEW, NEWER], speaker=None),
    case("SplitThreeWay at the start makes two", "SplitThreeWay", segment=ONE, from_=0, to=6, newKeys=[NEW, NEWER], speaker=JONAS),
    case("SplitThreeWay at the end makes two", "SplitThreeWay", segment=ONE, from_=12, to=24, newKeys=[NEW, NEWER], speaker=JONAS),
    case("SplitThreeWay of everything", "SplitThreeWay", segment=ONE, from_=0, to=24, newKeys=[NEW, NEWER]),
    case("SplitThreeWay of a space", "SplitThreeWay", segment=ONE, from_=2, to=3, newKeys=[NEW, NEWER]),
    case("SplitThreeWay the wrong way round", "SplitThreeWay", segment=ONE, from_=11, to=3, newKeys=[NEW, NEWER]),
    case("SplitThreeWay with one key twice", "SplitThreeWay", segment=ONE, from_=3, to=11, newKeys=[NEW, NEW]),
    case("SplitThreeWay to an unknown speaker", "SplitThreeWay", segment=ONE, from_=3, to=11, newKeys=[NEW, NEWER], speaker=UNKNOWN),
    case("Merge with the next", "Merge", segment=ONE, with_="next"),
    case("Merge with the previous", "Merge", segment=THREE, with_="previous"),
    case("Merge, Chinese without spaces", "Merge", CHINESE, segment=ONE, with_="next"),
    case("Merge, right to left", "Merge", HEBREW, segment=TWO, with_="previous"),
    case("Merge without words", "Merge", WORDLESS, segment=ONE, with_="next"),
    case("Merge where one has no words", "Merge", HALF_WORDLESS, segment=ONE, with_="next"),
    case("Merge of flags, highlight and check", "Merge", BOTH_FLAGGED, segment=ONE, with_="next"),
    case("Merge with an empty one", "Merge", state(segment(ONE, "9i", 0.0, ""), segment(TWO, "ii", 1.0, "closed")), segment=ONE, with_="next"),
    case("Merge of the first with the previous", "Merge", segment=ONE, with_="previous"),
    case("Merge of the last with the next", "Merge", segment=THREE, with_="next"),
    case("Insert behind", "Insert", after=ONE, newKey=NEW, start=2.5, end=3.0, text="and then", speaker=JONAS),
    case("Insert at the beginning", "Insert", after=None, newKey=NEW, start=0.0, end=0.5, text="Well", speaker=None),
    case("Insert at the end", "Insert", after=THREE, newKey=NEW, start=7.0, end=8.0, text="", speaker=None),
    case("Insert behind an unknown segment", "Insert", after=UNKNOWN, newKey=NEW, start=7.0, end=8.0, text="", speaker=None),
    case("Insert behind the recording", "Insert", after=THREE, newKey=NEW, start=59.0, end=61.0, text="", speaker=None),
    case("Insert with a key that is taken", "Insert", after=ONE, newKey=TWO, start=2.5, end=3.0, text="", speaker=None),
]  # fmt: skip
PEOPLE = [
    case("SetSpeaker of one", "SetSpeaker", segment=ONE, speaker=JONAS, scope="one"),
    case("SetSpeaker to nobody", "SetSpeaker", segment=ONE, speaker=None, scope="one"),
    case("SetSpeaker to the same", "SetSpeaker", segment=ONE, speaker=ANNA, scope="one"),
    case("SetSpeaker of a run", "SetSpeaker", segment=ONE, speaker=JONAS, scope="run"),
    case("SetSpeaker of the rest of a run", "SetSpeaker", segment=TWO, speaker=JONAS, scope="run"),
    case("SetSpeaker everywhere", "SetSpeaker", segment=TWO, speaker=JONAS, scope="everywhere"),
    case("SetSpeaker to an unknown one", "SetSpeaker", segment=ONE, speaker=UNKNOWN, scope="one"),
    case("SetSpeaker to one who was merged away", "SetSpeaker", MERGED_AWAY, segment=ONE, speaker=GONE, scope="one"),
    case("SetSpeaker with an unknown scope", "SetSpeaker", segment=ONE, speaker=JONAS, scope="here"),
    case("AddSpeaker", "AddSpeaker", newKey=NEW, name="  Maria  Lopez "),
    case("AddSpeaker where a key became free", "AddSpeaker", MERGED_AWAY, newKey=NEW, name="Maria"),
    case("AddSpeaker beyond nine", "AddSpeaker", TEN, newKey=NEW, name="Maria"),
    case("AddSpeaker without a name", "AddSpeaker", newKey=NEW, name=" "),
    case("AddSpeaker with a key that is taken", "AddSpeaker", newKey=ANNA, name="Maria"),
    case("RenameSpeaker", "RenameSpeaker", speaker=ANNA, name="Anna"),
    case("RenameSpeaker back to the label", "RenameSpeaker", state(speakers=[speaker(ANNA, "SPEAKER_00", 1, name="Anna")]), speaker=ANNA, name=""),
    case("RenameSpeaker to nothing", "RenameSpeaker", state(speakers=[speaker(ANNA, "", 1, name="Anna")]), speaker=ANNA, name=""),
    case("RecolourSpeaker", "RecolourSpeaker", speaker=ANNA, colour=9),
    case("RecolourSpeaker to no colour", "RecolourSpeaker", speaker=ANNA, colour=10),
    case("SetHotkey", "SetHotkey", speaker=ANNA, hotkey=5),
    case("SetHotkey takes it from whoever had it", "SetHotkey", speaker=ANNA, hotkey=2),
    case("SetHotkey to none", "SetHotkey", speaker=ANNA, hotkey=None),
    case("MergeSpeakers", "MergeSpeakers", from_=JONAS, into=ANNA),
    case("MergeSpeakers with itself", "MergeSpeakers", from_=ANNA, into=ANNA),
    case("MergeSpeakers with an unknown one", "MergeSpeakers", from_=ANNA, into=UNKNOWN),
    case("SetStatus", "SetStatus", status="done"),
    case("SetStatus as it is", "SetStatus", status="new"),
    case("SetStatus to an unknown one", "SetStatus", status="finished"),
    case("SetReviewer", "SetReviewer", reviewer="anna"),
    case("SetReviewer to nobody", "SetReviewer", state(reviewer="anna"), reviewer=None),
    case("an unknown kind", "Shout", segment=ONE),
]  # fmt: skip

CASES: list[Row] = [*TEXT, *SHAPE, *PEOPLE]
