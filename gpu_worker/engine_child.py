"""The engine process: it alone imports torch, owns the loaded models and writes the documents.

`python -m gpu_worker.engine_child FD PARENT SETTINGS` speaks JSON lines over the inherited socket FD.
In: {"do": "recognize" | "cancel", "task", …}. Out: {"event": "ready" | "models" | "unavailable" |
"stage" | "listening" | "progress" | "done" | "failed" | "canceled", …}. It ends when the socket closes.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gpu_worker import logs, transcript
from gpu_worker.asr.recognizer import Canceled, Factory, Recognition, Recognizer, Recording
from gpu_worker.asr.starter import DamagedWeights
from gpu_worker.asr.weights import ModelUnavailable
from gpu_worker.faults import Fault, disk_fault
from gpu_worker.lifeline import die_with_parent
from gpu_worker.protocol import Options, parse_options
from gpu_worker.transcript import SCHEMA_VERSION, Notice, Transcript

REPORT_SECONDS = 0.2  # between two progress messages of a task
BROKEN_DEVICE_EXIT = 3  # after a CUDA error a process cannot use its device again

Message = dict[str, Any]


def main(descriptor: str, parent: str, settings: str) -> None:
    """Run until the worker closes the socket."""
    die_with_parent(int(parent))
    logs.configure()
    os.environ["TQDM_DISABLE"] = "1"  # progress bars would tear the log lines apart
    line = socket.socket(fileno=int(descriptor))
    wanted = json.loads(settings)
    engine = EngineChild(line, _factory(wanted["engine"])(Path(wanted["cache"])))
    engine.announce(wanted["model"])
    with line.makefile("r", encoding="utf-8") as messages:
        for message in messages:
            engine.obey(json.loads(message))
    os._exit(0)  # threads may be deep in a decode: nobody waits for them any more


class EngineChild:
    """Takes messages, runs each task in a thread of its own, reports."""

    def __init__(self, line: socket.socket, recognizer: Recognizer) -> None:
        self._line = line
        self._recognizer = recognizer
        self._sending = threading.Lock()
        self._cancels: dict[str, threading.Event] = {}

    def announce(self, model: str) -> None:
        """Say what this engine runs on, then load `model` in the background."""
        self._send({"event": "ready", **asdict(self._recognizer.facts())})
        threading.Thread(target=self._preload, args=(model,), daemon=True).start()

    def obey(self, message: Message) -> None:
        """Act on one message."""
        task = message["task"]
        if message["do"] == "cancel":
            self._cancels.setdefault(task, threading.Event()).set()
        else:
            self._cancels.setdefault(task, threading.Event())
            threading.Thread(target=self._run, args=(task, message), daemon=True).start()

    def _preload(self, model: str) -> None:
        try:
            self._recognizer.load(model)
        except (ModelUnavailable, DamagedWeights, RuntimeError, MemoryError) as failure:
            fault = _fault(failure)
            logs.log("model_unavailable", model=model, code=fault.code, reason=str(fault))
            self._send({"event": "unavailable", "code": fault.code, "message": str(fault)})
        self._send({"event": "models", "models": self._recognizer.offline_models(model)})

    def _run(self, task: str, message: Message) -> None:
        try:
            self._send({"event": "done", "task": task, **self._recognize(task, message)})
        except Canceled:
            self._send({"event": "canceled", "task": task})
        except Exception as failure:  # the last line before the process boundary: every failure is told
            fault = _fault(failure)
            if fault.code == "PROCESSING_ERROR":
                logs.failed("engine_error", task=task)
            self._send({"event": "failed", "task": task, "code": fault.code, "message": str(fault)})
            if "CUDA error" in str(failure):
                os._exit(BROKEN_DEVICE_EXIT)
        finally:
            self._cancels.pop(task, None)

    def _recognize(self, task: str, message: Message) -> Message:
        """Load the model, recognise, write both documents; return what the job's log shows."""
        import numpy as np

        options = parse_options(message["options"])
        model = message["model"]
        self._send({"event": "stage", "task": task, "stage": "loading_model"})
        source = self._recognizer.load(model)
        self._send({"event": "stage", "task": task, "stage": "transcribing"})
        samples = np.memmap(message["audio"], dtype=np.float32, mode="r")
        recording = Recording(
            samples, options, self._report(task, "listening"), self._report(task, "progress")
        )
        found = self._recognizer.recognize(model, recording)
        document = _document(found, recording, self._recognizer.name, model, source)
        _write(Path(message["json"]), json.dumps(document, ensure_ascii=False))
        _write(Path(message["markdown"]), transcript.to_markdown(document, message["title"]))
        return {"language": found.language, "segments": len(found.segments)}

    def _report(self, task: str, event: str) -> Callable[[float], None]:
        cancel = self._cancels[task]
        reported = 0.0

        def report(seconds: float) -> None:
            nonlocal reported
            if cancel.is_set():
                raise Canceled
            if time.monotonic() - reported >= REPORT_SECONDS:
                reported = time.monotonic()
                self._send({"event": event, "task": task, "seconds": seconds})

        return report

    def _send(self, message: Message) -> None:
        with self._sending:
            self._line.sendall(json.dumps(message).encode() + b"\n")


def _factory(dotted: str) -> Factory:
    module, _, name = dotted.partition(":")
    factory: Factory = getattr(importlib.import_module(module), name)
    return factory


def _fault(failure: BaseException) -> Fault:
    """An exception as the protocol's code and a sentence."""
    if isinstance(failure, Fault):
        return failure
    if isinstance(failure, ModelUnavailable | DamagedWeights):
        return Fault("MODEL_UNAVAILABLE", str(failure))
    # torch.OutOfMemoryError, by name: an engine need not be torch
    if isinstance(failure, MemoryError) or type(failure).__name__ == "OutOfMemoryError":
        return Fault("OUT_OF_MEMORY", "The model and this recording need more memory than there is.")
    if isinstance(failure, OSError):
        full = disk_fault(failure)
        if full:
            return full
    return Fault("PROCESSING_ERROR", f"Transcription failed ({type(failure).__name__}).")


def _document(found: Recognition, recording: Recording, engine: str, model: str, source: str) -> Transcript:
    return Transcript(
        schemaVersion=SCHEMA_VERSION,
        text="".join(segment["text"] for segment in found.segments).strip(),
        language=found.language,
        duration=round(recording.duration, 3),
        segments=found.segments,
        speakers=[],
        turns=[],
        engine=engine,
        model=model,
        modelSource=source,
        flags=[],
        warnings=found.warnings + _speaker_warning(recording.options),
    )


def _speaker_warning(options: Options) -> list[Notice]:
    if not options.diarization_enabled:
        return []
    return [
        Notice(
            code="DIARIZATION_UNAVAILABLE",
            message="This worker cannot tell speakers apart; the transcript has no speakers.",
        )
    ]


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
