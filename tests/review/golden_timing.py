"""The inputs of tests/golden/timing.json."""
# ruff: noqa: E501 - a case a line

from typing import Any

Words = list[list[Any]]


def words(text: str, start: float = 0.0, step: float = 0.5, probability: float = 0.9) -> Words:
    """Words of `text`, `step` seconds each, one after the other."""
    made: Words = []
    for number, word in enumerate(text.split()):
        begin = round(start + number * step, 3)
        made.append([word, begin, round(begin + step, 3), probability, 0, " " if number else ""])
    return made


def aligned(name: str, old: Words, text: Any, start: float = 0.0, end: float = 3.0) -> dict[str, Any]:
    return {"name": name, "input": {"align": {"words": old, "text": text, "start": start, "end": end}}}


MILL = words("So the mill closed early")
ALIGN = [
    aligned("the same text keeps everything", MILL, "So the mill closed early"),
    aligned("one word becomes another and shares the time between its neighbours", MILL, "So the mall closed early"),
    aligned("a word in between", MILL, "So the old mill closed early"),
    aligned("words in front", MILL, "And then so the mill closed early"),
    aligned("words behind", MILL, "So the mill closed early in the spring"),
    aligned("a word less", MILL, "So the closed early"),
    aligned("nothing left", MILL, ""),
    aligned("only spaces left", MILL, " \n\t\u3000"),
    aligned("punctuation only", MILL, "So, the mill closed early."),
    aligned("case only", MILL, "so THE Mill closed early"),
    aligned("as many words, one alike and one not", MILL, "So a Mill, closed early"),
    aligned("more words, though one is alike", MILL, "So the old, Mill closed early"),
    aligned("all new", MILL, "Quite another sentence"),
    aligned("a word written as two", words("everyday life"), "every day life", 0.0, 1.0),
    aligned("two words written as one", words("every day life"), "everyday life", 0.0, 1.5),
    aligned("the words of a whole without a space stay one token",
            [["twenty", 0.0, 0.6, 0.9, 0, ""], ["-two", 0.6, 1.0, 0.5, 0, ""], ["mills", 1.0, 1.5, 0.8, 0, " "]],
            "twenty-two mills!", 0.0, 1.5),
    aligned("the first of equal words is matched", words("no no no yes"), "no yes no", 0.0, 2.0),
    aligned("a longer block wins over an earlier one", words("a b x a b c"), "a b c x", 0.0, 3.0),
    aligned("words out of time: no time is negative",
            [["one", 1.0, 2.5, 0.9, 0, ""], ["two", 2.0, 3.0, 0.9, 0, " "]], "one and two", 1.0, 3.0),
    aligned("no words: all are estimated", [], "The mill closed", 10.0, 12.0),
    aligned("no words and no text", [], "", 10.0, 12.0),
    aligned("no words and no time", [], "The mill", 10.0, 10.0),
    aligned("any space counts as one", MILL, "So\nthe\u00a0mill\u2003closed \t early"),
    aligned("no space around it in the words", MILL, "  So the mill closed early  "),
    aligned("four-byte characters count as one", words("so 👩🏽‍🌾 came 🎉"), "so 👩🏽‍🌾 came 🎉🎉 home", 0.0, 2.0),
    aligned("right to left", words("שלום לכולם היום"), "שלום, לכולם כאן היום", 0.0, 1.5),
    aligned("right to left, Arabic punctuation", words("كيف حالك اليوم"), "كيف حالك اليوم؟", 0.0, 1.5),
    aligned("Chinese: whisper's words are cut into characters",
            [["我们", 0.0, 0.4, 0.9, 0, ""], ["昨天", 0.4, 0.8, 0.8, 0, ""], ["去了", 0.8, 1.2, 0.7, 0, ""]],
            "我们昨天去了", 0.0, 1.2),
    aligned("Chinese: one character more, one other, a full stop",
            [["我们", 0.0, 0.4, 0.9, 0, ""], ["昨天", 0.4, 0.8, 0.8, 0, ""], ["去了", 0.8, 1.2, 0.7, 0, ""]],
            "我们今天也去了。", 0.0, 1.5),
    aligned("Chinese and Latin", [["用", 0.0, 0.2, 0.9, 0, ""], ["Python", 0.2, 0.8, 0.9, 0, " "], ["写", 0.8, 1.0, 0.9, 0, " "]],
            "用Python3写", 0.0, 1.0),
    aligned("Thai", [["สวัสดี", 0.0, 0.6, 0.9, 0, ""]], "สวัสดีครับ", 0.0, 1.0),
    aligned("a character beyond the first plane of a script without spaces", [["𠮷野", 0.0, 1.0, 0.9, 0, ""]], "𠮷野家", 0.0, 1.5),
    aligned("a hundred thousand characters without a space", [["aaa", 0.0, 1.0, 0.9, 0, ""]], {"repeat": ["a", 100_000]}),
    aligned("Greek at the end of a word", words("ΟΔΟΣ δρόμος"), "Οδός δρόμος", 0.0, 1.0),
    aligned("nothing but punctuation is alike", words("well — so"), "well ... so", 0.0, 1.5),
    aligned("estimated words stay estimated", [["so", 0.0, 0.5, 1.0, 1, ""], ["it", 0.5, 1.0, 0.9, 0, " "]], "so it is", 0.0, 2.0),
    aligned("halves of a millisecond go up", [], "ab c", 0.0, 0.0015),
    aligned("a long changed stretch of equal words counts as new", words("start " + "la " * 300 + "end", step=0.01),
            "begin " + "la " * 301 + "stop", 0.0, 3.02),
]  # fmt: skip


def fitted(name: str, old: list[float], new: list[float], known: Words = MILL) -> dict[str, Any]:
    return {"name": name, "input": {"fit": {"words": known, "old": old, "new": new}}}


FIT = [
    fitted("longer: no word moves", [0.0, 2.5], [0.0, 4.0]),
    fitted("shorter: words are cut at the end", [0.0, 2.5], [0.0, 1.25]),
    fitted("later: words are cut at the start", [0.0, 2.5], [0.75, 2.5]),
    fitted("elsewhere: words go along and are stretched", [0.0, 2.5], [10.0, 15.0]),
    fitted("touching is elsewhere", [0.0, 2.5], [2.5, 3.75]),
    fitted("from no time at all", [1.0, 1.0], [2.0, 3.0], [["a", 1.0, 1.0, 0.9, 0, ""], ["bc", 1.0, 1.0, 0.9, 0, " "]]),
    fitted("no words", [0.0, 1.0], [5.0, 6.0], []),
]  # fmt: skip


def cut(name: str, text: str, at: int, known: Words, start: float = 0.0, end: float = 2.5) -> dict[str, Any]:
    return {
        "name": name,
        "input": {"split": {"words": known, "text": text, "at": at, "start": start, "end": end}},
    }


SPLIT = [
    cut("at a space", "So the mill closed early", 6, MILL),
    cut("behind a space", "So the mill closed early", 7, MILL),
    cut("inside a word", "So the mill closed early", 9, MILL),
    cut("in the middle of a pause", "one two", 3, [["one", 0.0, 0.5, 0.9, 0, ""], ["two", 1.0, 2.0, 0.9, 0, " "]]),
    cut("where words overlap", "one two", 3, [["one", 0.0, 1.5, 0.9, 0, ""], ["two", 1.0, 2.0, 0.9, 0, " "]]),
    cut("without words", "So the mill closed early", 6, []),
    cut("without words, Chinese", "我们昨天去了", 2, [], 0.0, 1.2),
    cut("words that are not the text are aligned first", "So the old mill closed", 10, MILL),
    cut("Chinese inside a word", "我们昨天去了", 3,
        [["我们", 0.0, 0.4, 0.9, 0, ""], ["昨天", 0.4, 0.8, 0.8, 0, ""], ["去了", 0.8, 1.2, 0.7, 0, ""]], 0.0, 1.2),
    cut("four-byte characters count as one", "🎉🎉 well 🎉", 3,
        [["🎉🎉", 0.0, 0.4, 0.9, 0, ""], ["well", 0.4, 0.8, 0.8, 0, " "], ["🎉", 0.8, 1.2, 0.7, 0, " "]], 0.0, 1.2),
    cut("a time outside the segment is kept inside", "one two", 3, [["one", 5.0, 6.0, 0.9, 0, ""], ["two", 6.0, 7.0, 0.9, 0, " "]]),
]  # fmt: skip


def machine(name: str, text: str, at: int, said: str) -> dict[str, Any]:
    return {"name": name, "input": {"cutMachineText": {"text": text, "at": at, "machine": said}}}


MACHINE = [
    machine("the same text", "So the mill closed", 7, "So the mill closed"),
    machine("a word inserted by a person", "So the old mill closed", 11, "So the mill closed"),
    machine("a word left out by a person goes to the second half", "So mill closed", 3, "So the mill closed"),
    machine(
        "inside a token: it stays whole and goes to the first half",
        "So the mill closed",
        9,
        "So the mill closed",
    ),
    machine("all is new: in proportion to tokens", "a b c d", 4, "w x y z"),
    machine("the machine heard nothing", "So the mill", 3, ""),
    machine("Chinese", "我们今天去了", 4, "我们昨天去了"),
]

CASES: list[dict[str, Any]] = [*ALIGN, *FIT, *SPLIT, *MACHINE]
