"""Decodes media files of unknown origin in a sandboxed child process, for worker and controller.

The parent runs a module of its own with `ask_child`. In the child that module calls, in this order, `child_arguments`,
`limit_process`, opens its files, `open_nothing_more`, and then reads:

    with MediaFile(path) as file, opened(file) as container:
        for part in DecodedAudio(container, "mono", 16_000): …

Which track that is, where gaps are silence, and what damage does are decided here, so that a transcript, a waveform and
a copy for the player agree. PyAV is imported only where a file is opened; no numpy, no Django.
"""

from gpu_worker.shared.decoding.child import Interrupted, OutOfTime, ask_child, child_arguments
from gpu_worker.shared.decoding.containers import MediaFile, opened, refuse_if_too_long, sound_track
from gpu_worker.shared.decoding.decoded_audio import DecodedAudio
from gpu_worker.shared.decoding.errors import UNDECODABLE, DecodeError, NoSoundTrack, TooLong
from gpu_worker.shared.decoding.limits import limit_process, open_nothing_more

__all__ = [
    "UNDECODABLE",
    "DecodeError",
    "DecodedAudio",
    "Interrupted",
    "MediaFile",
    "NoSoundTrack",
    "OutOfTime",
    "TooLong",
    "ask_child",
    "child_arguments",
    "limit_process",
    "open_nothing_more",
    "opened",
    "refuse_if_too_long",
    "sound_track",
]
