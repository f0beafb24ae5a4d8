"""The engine process: the only one that imports torch; it owns the models and writes the documents.

`python -m gpu_worker.engine.child FD PARENT SETTINGS` speaks JSON lines over the inherited socket FD.
In: {"do": "recognize" | "cancel", "task", …}. Out: {"event": "ready" | "models" | "unavailable" |
"diarization" | "memory" | "stage" | "listening" | "diarizing" | "progress" | "done" | "failed" |
"canceled", …}. It ends when the socket closes.
"""

from __future__ import annotations

import gc
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

from gpu_worker import logs
from gpu_worker.asr.recognizer import Recognizer
from gpu_worker.asr.starter import DamagedWeights
from gpu_worker.asr.weights import ModelUnavailable
from gpu_worker.diarization.diarizer import DiarizationUnavailable, Diarizer
from gpu_worker.engine.transcriber import NO_DIARIZER, Report, Transcriber, documents
from gpu_worker.errors import Canceled, Fault, disk_fault
from gpu_worker.shared.child_process import die_with_parent
from gpu_worker.shared.protocol import parse_options

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
    engine = EngineChild(line, _recognizer(wanted), _diarizer(wanted))
    engine.announce(wanted["model"])
    with line.makefile("r", encoding="utf-8") as messages:
        for message in messages:
            engine.obey(json.loads(message))
    os._exit(0)  # threads may be deep in a decode: nobody waits for them any more


class EngineChild:
    """Receives messages, runs each task in its own thread, and reports."""

    def __init__(self, line: socket.socket, recognizer: Recognizer, diarizer: Diarizer | None) -> None:
        self._line = line
        self._recognizer = recognizer
        self._diarizer = diarizer
        self._transcriber = Transcriber(recognizer, diarizer)
        self._sending = threading.Lock()
        self._cancels: dict[str, threading.Event] = {}

    def announce(self, model: str) -> None:
        """Report the engine's hardware and software, then load its models in the background."""
        self._send({"event": "ready", **asdict(self._recognizer.info())})
        threading.Thread(target=self._preload, args=(model,), daemon=True).start()

    def obey(self, message: Message) -> None:
        """Handle one message."""
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
        self._preload_diarizer()
        # Last: who hears of models believes that this engine is settled.
        self._send({"event": "models", "models": self._recognizer.offline_models(model)})

    def _preload_diarizer(self) -> None:
        try:
            if self._diarizer is None:
                raise DiarizationUnavailable(NO_DIARIZER)
            self._send({"event": "diarization", "pipeline": self._diarizer.load(), "trouble": ""})
        except (RuntimeError, MemoryError) as failure:
            fault = _fault(failure)
            logs.log("diarization_unavailable", code=fault.code, reason=str(fault))
            self._send({"event": "diarization", "pipeline": "", "trouble": str(fault)})

    def _run(self, task: str, message: Message) -> None:
        try:
            self._finish({"event": "done", "task": task, **self._transcribe(task, message)})
        except Canceled:
            self._finish({"event": "canceled", "task": task})
        except Exception as failure:  # the last line before the process boundary: every failure is told
            fault = _fault(failure)
            if fault.code == "PROCESSING_ERROR":
                logs.failed("engine_error", task=task)
            self._finish({"event": "failed", "task": task, "code": fault.code, "message": str(fault)})
            if "CUDA error" in str(failure):
                os._exit(BROKEN_DEVICE_EXIT)

    def _finish(self, closing: Message) -> None:
        self._cancels.pop(closing["task"], None)
        self._send(closing)
        if closing["event"] != "done":
            _free_device_memory()
        self._send({"event": "memory", "gpu_memory_bytes": _device_memory()})

    def _transcribe(self, task: str, message: Message) -> Message:
        """Create and write the documents; return the summary for the job's log."""
        import numpy as np

        report = Report(
            stage=lambda stage: self._send({"event": "stage", "task": task, "stage": stage}),
            listening=self._report(task, "listening", "seconds"),
            diarizing=self._report(task, "diarizing", "share"),
            progress=self._report(task, "progress", "seconds"),
        )
        document = self._transcriber.transcribe(
            message["model"],
            parse_options(message["options"]),
            np.memmap(message["audio"], dtype=np.float32, mode="r"),
            report,
        )
        made = documents(document, message["title"])
        for kind, text in made.items():
            Path(message["documents"][kind]).write_text(text, encoding="utf-8")
        return {
            "language": document["language"],
            "segments": len(document["segments"]),
            "speakers": len(document["speakers"]),
            "documents": [*made],
        }

    def _report(self, task: str, event: str, unit: str) -> Callable[[float], None]:
        cancel = self._cancels[task]
        reported = 0.0

        def report(reached: float) -> None:
            nonlocal reported
            if cancel.is_set():
                raise Canceled
            if time.monotonic() - reported >= REPORT_SECONDS:
                reported = time.monotonic()
                self._send({"event": event, "task": task, unit: reached})

        return report

    def _send(self, message: Message) -> None:
        with self._sending:
            self._line.sendall(json.dumps(message).encode() + b"\n")


def _recognizer(settings: Message) -> Recognizer:
    engine: Recognizer = _named(settings["recognizer"])(Path(settings["cache"]))
    return engine


def _diarizer(settings: Message) -> Diarizer | None:
    if not settings["diarizer"]:
        return None
    make = _named(settings["diarizer"])
    diarizer: Diarizer = make(Path(settings["cache"]), settings["pipeline"], settings["device"])
    return diarizer


def _named(dotted: str) -> Any:
    """`module:name` → what it names."""
    module, _, name = dotted.partition(":")
    return getattr(importlib.import_module(module), name)


def _fault(failure: BaseException) -> Fault:
    """Convert an exception to a code of the protocol and a sentence."""
    if isinstance(failure, Fault):
        return failure
    if isinstance(failure, ModelUnavailable | DamagedWeights):
        return Fault("MODEL_UNAVAILABLE", str(failure))
    if isinstance(failure, DiarizationUnavailable):
        return Fault("DIARIZATION_UNAVAILABLE", str(failure))
    # torch.OutOfMemoryError, by name: an engine need not be torch
    if isinstance(failure, MemoryError) or type(failure).__name__ == "OutOfMemoryError":
        return Fault("OUT_OF_MEMORY", "The model and this recording need more memory than is available.")
    return disk_fault(failure) or Fault(
        "PROCESSING_ERROR", f"Transcription failed ({type(failure).__name__})."
    )


def _device_memory() -> int:
    """Return the GPU memory used by this process."""
    torch = sys.modules.get("torch")
    return int(torch.cuda.memory_reserved()) if torch and torch.cuda.is_available() else 0


def _free_device_memory() -> None:
    """Free GPU memory left by an interrupted task."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main(*sys.argv[1:])
