"""Media that means harm: bytes made by hand, since no encoder would write them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

from tests.gpu_worker.sounds import wav

DAY = 86_400


def flac_of_silence(seconds: int, rate: int = 8000, declared: int | None = None) -> bytes:
    """Silence as FLAC stores it: 14 bytes for 65,535 samples. `declared` seconds stand in its header."""
    total = seconds * rate if declared is None else declared * rate
    info = struct.pack(">HH", 65_535, 65_535) + bytes(6)
    info += (rate << 44 | 0 << 41 | 15 << 36 | total & (2**36 - 1)).to_bytes(8, "big") + bytes(16)
    frames = b"".join(_flac_frame(number) for number in range(seconds * rate // 65_535))
    return b"fLaC\x80\x00\x00\x22" + info + frames


def _flac_frame(number: int) -> bytes:
    """One block of 65,535 zeros, mono, 16 bits, rate as in the header."""
    head = b"\xff\xf8\x70\x08" + _flac_number(number) + struct.pack(">H", 65_534)
    frame = head + bytes([_crc(head, 8, 0x07)]) + b"\0\0\0"
    return frame + struct.pack(">H", _crc(frame, 16, 0x8005))


def _flac_number(number: int) -> bytes:
    """Like UTF-8."""
    return chr(number).encode("utf-8", "surrogatepass")


def _crc(content: bytes, bits: int, polynomial: int) -> int:
    value = 0
    for byte in content:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = (value << 1) ^ (polynomial if value >> (bits - 1) else 0)
            value &= (1 << bits) - 1
    return value


def wav_with_header(
    pcm: bytes, channels: int = 1, rate: int = 16_000, bits: int = 16, size: int | None = None
) -> bytes:
    """A WAV file whose header says what it is told to, whatever follows."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * block & 0xFFFFFFFF, block & 0xFFFF, bits)
    length = len(pcm) if size is None else size
    return (
        b"RIFF" + struct.pack("<I", (length + 36) & 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + b"data" + struct.pack("<I", length) + pcm
    )  # fmt: skip


def box(kind: bytes, *content: bytes) -> bytes:
    """One box of an MP4 file."""
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8) + kind + body


def mp4(tracks: Iterable[bytes], data: bytes = b"") -> bytes:
    """An MP4 file of these tracks."""
    head = box(b"mvhd", bytes(12), struct.pack(">II", 1000, 1000), bytes(80))
    return box(b"ftyp", b"isom\0\0\0\0isom") + box(b"mdat", data) + box(b"moov", head, *tracks)


def mp4_track(
    number: int = 1,
    rate: int = 8000,
    channels: int = 1,
    samples: int = 1,
    sample_size: int = 2,
    duration: int = 1000,
    edits: bytes = b"",
    reference: bytes = b"",
    offset: int = 36,
) -> bytes:
    """A sound track of raw samples. `edits` is its edit list, `reference` where else its data would be."""
    entry = box(
        b"sowt", bytes(6), b"\0\1", bytes(8), struct.pack(">HHHHI", channels, 16, 0, 0, (rate & 0xFFFF) << 16)
    )
    table = box(
        b"stbl",
        box(b"stsd", bytes(4), struct.pack(">I", 1), entry),
        box(b"stts", bytes(4), struct.pack(">III", 1, samples, 1)),
        box(b"stsc", bytes(4), struct.pack(">IIII", 1, 1, samples, 1)),
        box(b"stsz", bytes(4), struct.pack(">II", sample_size, samples)),
        box(b"stco", bytes(4), struct.pack(">II", 1, offset)),
    )
    entry_of_data = reference or box(b"url ", b"\0\0\0\1")
    place = box(b"dinf", box(b"dref", bytes(4), struct.pack(">I", 1), entry_of_data))
    media = box(
        b"mdia",
        box(b"mdhd", bytes(12), struct.pack(">II", rate, duration), bytes(4)),
        box(b"hdlr", bytes(8), b"soun", bytes(13)),
        box(b"minf", box(b"smhd", bytes(8)), place, table),
    )
    head = box(b"tkhd", b"\0\0\0\7", bytes(8), struct.pack(">IxxxxI", number, duration), bytes(60))
    return box(b"trak", head, edits, media)


def edit_list(entries: int, media_time: int = 0, length: int = 1000) -> bytes:
    """An edit list that plays the same stretch again and again."""
    rows = struct.pack(">IiI", length, media_time, 0x10000) * entries
    return box(b"edts", box(b"elst", bytes(4), struct.pack(">I", entries), rows))


def alias_to(path: str) -> bytes:
    """QuickTime's way to say that a track's data lies in another file."""
    name = path.encode()
    fixed = bytearray(150)
    tail = struct.pack(">HH", 2, len(name)) + name + bytes(len(name) % 2) + struct.pack(">HH", 0xFFFF, 0)
    return box(b"alis", bytes(4), bytes(fixed), tail)


def matroska(tracks: int, compressed: bytes = b"") -> bytes:
    """A Matroska file of many raw sound tracks; `compressed` is one block of the first, zlib-packed."""
    entries = b"".join(_track(number + 1, bool(compressed) and number == 0) for number in range(tracks))
    return _matroska(entries, _block(0, zlib.compress(compressed, 9) if compressed else bytes(320)))


def matroska_of(packets: Iterable[tuple[int, bytes]]) -> bytes:
    """A Matroska file of one raw sound track at 16 kHz with these packets, each at its millisecond."""
    return _matroska(_track(1, is_packed=False), b"".join(_block(*packet) for packet in packets))


def _matroska(tracks: bytes, blocks: bytes) -> bytes:
    head = _ebml(0x1A45DFA3, _ebml(0x4282, b"matroska"))
    cluster = _ebml(0x1F43B675, _ebml(0xE7, b"\0") + blocks)
    return head + _ebml(0x18538067, _ebml(0x1654AE6B, tracks) + cluster)


def _block(at: int, content: bytes) -> bytes:
    return _ebml(0xA3, b"\x81" + struct.pack(">h", at) + b"\x80" + content)


def _track(number: int, is_packed: bool) -> bytes:
    sound = _ebml(0xB5, struct.pack(">f", 16_000.0)) + _ebml(0x9F, b"\1") + _ebml(0x6264, b"\x10")
    packing = _ebml(0x5034, _ebml(0x4254, b"\0"))  # ContentCompression by zlib
    encoding = _ebml(0x6D80, _ebml(0x6240, packing)) if is_packed else b""
    ids = _ebml(0xD7, number.to_bytes(4, "big")) + _ebml(0x73C5, number.to_bytes(4, "big"))
    return _ebml(
        0xAE, ids + _ebml(0x83, b"\2") + _ebml(0x86, b"A_PCM/INT/LIT") + _ebml(0xE1, sound) + encoding
    )


def _ebml(name: int, content: bytes) -> bytes:
    head = name.to_bytes((name.bit_length() + 7) // 8, "big")
    return head + (len(content) | 1 << 56).to_bytes(8, "big") + content


def plain_wav(seconds: float = 1.0) -> bytes:
    """A valid one, to be damaged."""
    return wav(bytes(int(16_000 * seconds) * 2))
