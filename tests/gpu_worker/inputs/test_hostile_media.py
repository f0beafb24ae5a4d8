"""Media that means harm: refused or read within the limits; no other file is opened, no connection made."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_worker.errors import Fault
from gpu_worker.inputs import audio
from gpu_worker.shared.decoding import MediaFile
from gpu_worker.sound import SAMPLE_RATE
from tests.gpu_worker import hostile
from tests.gpu_worker.inputs.test_audio import CONTAINERS
from tests.gpu_worker.sounds import encoded, tone
from tests.gpu_worker.worker import ROOT

PEAK_BYTES = 1024**3  # the limit is 2 GiB; nothing here comes near it

# The decoder as its own process, which tells its greatest resident size as well.
DECODER = """
import json, os, sys
import av, numpy  # once for all children
from gpu_worker.inputs import audio
answers = []
for source in sys.argv[2:]:
    reading, writing = os.pipe()
    if not os.fork():
        status = open("/proc/self/status")
        answer = audio.main(source, sys.argv[1])
        peak = next(line for line in status if line.startswith("VmHWM"))
        os.write(writing, json.dumps({**answer, "peak": int(peak.split()[1]) * 1024}).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        answers.append(json.loads(told.read() or '{"code": "CRASH", "peak": 0}'))
    os.wait()
print(json.dumps(answers))
"""


def decode_all(tmp_path: Path, files: list[bytes]) -> list[dict[str, object]]:
    """What the decoder's children say about each: samples, or a code and a message; and their peak."""
    sources = [tmp_path / f"{number}.media" for number in range(len(files))]
    for source, content in zip(sources, files, strict=True):
        source.write_bytes(content)
    command = [sys.executable, "-c", DECODER, str(tmp_path / "out"), *map(str, sources)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    answers: list[dict[str, object]] = json.loads(done.stdout)
    return answers


# Files that name other files and addresses ---------------------------------------------------------

SECRET = "secret.wav"
TEXTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{where}\n#EXT-X-ENDLIST\n",
    "hls with a key": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{where}"\n#EXTINF:9,\n{where}\n',
    "hls in an id3 tag": "ID3\x04\x00\x00\x00\x00\x00\x00#EXTM3U\n#EXTINF:9,\n{where}\n",
    "ffconcat": "ffconcat version 1.0\nfile {where}\n",
    "dash": '<?xml version="1.0"?>\n<MPD type="static"><Period><BaseURL>{where}</BaseURL></Period></MPD>\n',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
    "pls": "[playlist]\nFile1={where}\nNumberOfEntries=1\n",
    "asx": '<asx version="3.0"><entry><ref href="{where}"/></entry></asx>\n',
    "asf reference": "[Reference]\nRef1={where}\nASF {where}\n",
    "subrip": "1\n00:00:01,000 --> 00:00:02,000\n{where}\n\n",
    "webvtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n{where}\n",
    "substation": "[Script Info]\nScriptType: v4.00+\n\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,{where}\n",
    "microdvd": "{{1}}{{25}}{where}\n{{26}}{{50}}{where}\n",
    "sami": "<SAMI><BODY><SYNC Start=1000><P>{where}</SYNC></BODY></SAMI>\n",
    "vobsub": "# VobSub index file, v7 (do not modify this line!)\ntimestamp: 00:00:01:000, filepos: 000000000\n",
    "avisynth": 'DirectShowSource("{where}")\n',
    "ffmetadata": ";FFMETADATA1\ntitle={where}\n",
}
PREFIXES = ("", "file:", "subfile,,start,0,end,0,,:", "concat:", "http://127.0.0.1:9/", "tcp://127.0.0.1:9/")


@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_that_names_other_files_is_refused_whatever_it_is_called(tmp_path: Path, kind: str) -> None:
    (tmp_path / SECRET).write_bytes(tone(1))
    texts = [TEXTS[kind].format(where=f"{prefix}{tmp_path / SECRET}") for prefix in PREFIXES]
    answers = decode_all(tmp_path, [text.encode() for text in texts])
    assert [answer.get("code") for answer in answers] == ["INPUT_UNDECODABLE"] * len(PREFIXES)


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff3f030005fe"
    "02fea135811f0000000049454e44ae426082"
)


@pytest.mark.parametrize("name", ["frame%03d.png", "frame001.png", "frame*.png", "frame%d.mp3"])
def test_an_image_of_a_sequence_is_refused(tmp_path: Path, name: str) -> None:
    for number in range(3):
        (tmp_path / f"frame{number:03}.png").write_bytes(PNG)
    source = tmp_path / name
    source.write_bytes(PNG)
    with pytest.raises(Fault) as refused:
        audio.decode(source, tmp_path / "out", lambda: None)
    assert refused.value.code == "INPUT_UNDECODABLE"


@pytest.fixture
def witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], list[str]]:
    """Decode a file under strace and return the system calls on files and the network that it made
    from the moment on at which it opened the file."""
    strace = shutil.which("strace")
    if not strace or subprocess.run([strace, "-D", "-o", "/dev/null", "true"], check=False).returncode:
        pytest.skip("strace is not installed, or this machine does not let it look")
    calls, wrapper = tmp_path / "calls", tmp_path / "traced-python"
    traced = f"exec {strace} -D -f -e trace=%file,%network -o '{calls}' '{sys.executable}' \"$@\""
    wrapper.write_text(f"#!/bin/sh\n{traced}\n")
    wrapper.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(wrapper))

    def watch(source: Path) -> list[str]:
        try:
            audio.decode(source, tmp_path / "out", lambda: None)
        except Fault as fault:
            assert "The decoder crashed" not in str(fault)
        made = [line.split(maxsplit=1)[1] for line in calls.read_text().splitlines()]
        first = next(i for i, call in enumerate(made) if str(source) in call and call.startswith("open"))
        return [call for call in made[first:] if re.match(r"\w+\(", call) and not call.startswith("exit")]

    return watch


def nothing_else(calls: list[str], source: Path, target: Path) -> bool:
    """Whether these are the opening of the two files and nothing more."""
    opened = [call for call in calls if not re.match(r'(newfstatat|statx)\(\d+, ""', call)]
    wanted = [f'"{source}"', f'"{target}"']
    return len(opened) == 2 and all(name in call for name, call in zip(wanted, opened, strict=True))


def referring(kind: str, secret: Path) -> bytes:
    """A file of this kind that refers to another one."""
    match kind:
        case "mp4 with an alias":
            reference = hostile.alias_to(str(secret))
            return hostile.mp4([hostile.mp4_track(samples=8000, reference=reference)], bytes(16_000))
        case "mp4 with an address":
            reference = hostile.box(b"url ", bytes(4), f"http://127.0.0.1:9/{secret}\0".encode())
            return hostile.mp4([hostile.mp4_track(samples=8000, reference=reference)], bytes(16_000))
        case "mov that points to another":
            name = str(secret).encode() + b"\0"
            address = hostile.box(b"rdrf", bytes(4), b"url ", len(name).to_bytes(4, "big"), name)
            movie = hostile.box(b"moov", hostile.box(b"rmra", hostile.box(b"rmda", address)))
            return hostile.box(b"ftyp", b"qt  \0\0\0\0qt  ") + movie
        case "sound":
            return tone(1)
        case "sound beside pictures":
            return encoded("matroska", "flac", start=0.5)
        case _:
            return TEXTS[kind].format(where=secret).encode()


NAMED = [(kind, name) for kind in ("hls", "ffconcat", "sdp") for name in ("a.mp3", "a.wav", "a.mp4")]
OTHERS = (
    "dash",
    "vobsub",
    "mp4 with an alias",
    "mp4 with an address",
    "mov that points to another",
    "sound",
    "sound beside pictures",
)


@pytest.mark.parametrize(("kind", "name"), [*NAMED, *((kind, "a.mp4") for kind in OTHERS)])
def test_no_other_file_is_opened_and_no_connection_made(
    tmp_path: Path, witness: Callable[[Path], list[str]], kind: str, name: str
) -> None:
    (tmp_path / SECRET).write_bytes(tone(1))
    source = tmp_path / name
    source.write_bytes(referring(kind, tmp_path / SECRET))
    calls = witness(source)
    assert nothing_else(calls, source, tmp_path / "out"), calls


def test_the_decoder_could_open_nothing_if_it_wanted_to() -> None:
    program = """
import socket
from gpu_worker.shared.decoding import limit_process, open_nothing_more
limit_process()
open_nothing_more()
for tries in (lambda: open("/dev/null"), socket.socket, lambda: socket.create_connection(("127.0.0.1", 9))):
    try:
        tries()
    except OSError as refused:
        print(refused.errno)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["24", "24", "24"]  # EMFILE


# Files that are more than they seem ---------------------------------------------------------------

RAW = bytes(32_000)
TOO_LONG, UNDECODABLE = "INPUT_TOO_LONG", "INPUT_UNDECODABLE"
BOMBS: dict[str, tuple[Callable[[], bytes], str | float]] = {
    "24 h of silence": (lambda: hostile.flac_of_silence(hostile.DAY), TOO_LONG),
    "24 h declared, 16 s there": (lambda: hostile.flac_of_silence(17, declared=hostile.DAY), 16.4),
    "255 channels": (lambda: hostile.wav_with_header(RAW * 10, channels=255), UNDECODABLE),
    "65535 channels": (lambda: hostile.wav_with_header(RAW * 100, channels=65_535), UNDECODABLE),
    "4 GHz": (lambda: hostile.wav_with_header(RAW, rate=4_000_000_000), UNDECODABLE),
    "2 MHz": (lambda: hostile.wav_with_header(RAW, rate=2_000_000), UNDECODABLE),
    "1 Hz": (lambda: hostile.wav_with_header(RAW, rate=1), UNDECODABLE),
    "0 Hz": (lambda: hostile.wav_with_header(RAW, rate=0), UNDECODABLE),
    "4 GB declared": (lambda: hostile.wav_with_header(RAW, size=2**32 - 1), 1.0),
    "0 bytes declared": (lambda: hostile.wav_with_header(RAW, size=0), 1.0),
    "10,000 tracks in mp4": (lambda: hostile.mp4(map(hostile.mp4_track, range(10_000))), UNDECODABLE),
    "900 tracks in mp4": (lambda: hostile.mp4(map(hostile.mp4_track, range(900))), UNDECODABLE),
    "10,000 tracks in mkv": (lambda: hostile.matroska(10_000), UNDECODABLE),
    "2,147,483,647 samples in mp4": (lambda: hostile.mp4([hostile.mp4_track(samples=2**31 - 1)], RAW), 2.0),
    "a year declared in mp4": (
        lambda: hostile.mp4([hostile.mp4_track(samples=16_000, duration=2**32 - 1)], RAW),
        2.0,
    ),
    "5,000 edits of one second": (lambda: _edited(5_000), 5_000.0),
    "200 MB in a packed block": (lambda: hostile.matroska(1, bytes(2 * 10**8)), UNDECODABLE),
    "boxes in boxes": (lambda: _nested(5_000), UNDECODABLE),
}


def _edited(times: int) -> bytes:
    return hostile.mp4([hostile.mp4_track(samples=8000, edits=hostile.edit_list(times))], RAW)


def _nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = hostile.box(b"moov", inner)
    return hostile.box(b"ftyp", b"isom\0\0\0\0isom") + inner


@pytest.mark.parametrize("kind", BOMBS)
def test_a_file_that_is_more_than_it_seems_stays_within_the_limits(tmp_path: Path, kind: str) -> None:
    make, expected = BOMBS[kind]
    (answer,) = decode_all(tmp_path, [make()])
    peak = answer["peak"]
    assert isinstance(peak, int) and peak < PEAK_BYTES
    if isinstance(expected, str):
        assert answer.get("code") == expected
        return
    count = answer.get("samples")
    assert isinstance(count, int), answer
    assert count / SAMPLE_RATE == pytest.approx(expected, rel=0.1)


def test_a_day_of_silence_is_refused_by_its_length_without_reading_it(tmp_path: Path) -> None:
    (answer,) = decode_all(tmp_path, [hostile.flac_of_silence(hostile.DAY)])
    assert answer["code"] == "INPUT_TOO_LONG"
    assert (tmp_path / "out").stat().st_size == 0


def test_so_many_tracks_are_named_as_the_reason(tmp_path: Path) -> None:
    few, many = decode_all(tmp_path, [hostile.matroska(33), hostile.mp4(map(hostile.mp4_track, range(2000)))])
    assert "more than 32 tracks" in str(few["message"])
    assert "too many tracks" in str(many["message"])


# Damage -------------------------------------------------------------------------------------------


def test_a_file_cut_off_anywhere_gives_what_there_is_or_says_why_not(tmp_path: Path) -> None:
    wholes = [encoded(container, codec) for container, codec in CONTAINERS]
    parts = [whole[: len(whole) * tenths // 10] for whole in wholes for tenths in range(1, 10)]
    for answer in decode_all(tmp_path, parts):
        count = answer.get("samples", 0)
        assert isinstance(count, int) and count <= 2.2 * SAMPLE_RATE
        assert count or answer["code"] == "INPUT_UNDECODABLE"


def test_a_jump_to_before_the_start_is_damage_and_no_failure_of_the_machine(tmp_path: Path) -> None:
    with MediaFile(ROOT / "Makefile") as media:
        assert media.seek(-5) < 0
        assert media.seek(5) == 5


WHOLE = [encoded(container, codec, seconds=0.5) for container, codec in CONTAINERS]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file with some bytes changed, or a piece of it repeated or left out."""
    content = bytearray(draw(st.sampled_from(WHOLE)))
    for place, value in draw(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=30)):
        content[place % len(content)] = value
    first, last = sorted(draw(st.tuples(st.integers(0, 8000), st.integers(0, 8000))))
    return bytes(content[:first] + draw(st.binary(max_size=50)) + content[last:])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=2000) | damaged())
def test_whatever_the_bytes_the_worker_gets_samples_or_a_reason(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "any"
    source.write_bytes(content)
    try:
        assert audio.decode(source, tmp_path / "out", lambda: None) > 0
    except Fault as fault:
        assert fault.code in ("INPUT_UNDECODABLE", "INPUT_TOO_LONG")
