"""The worker's handle of its engine process: starts, monitors, and replaces it.

The web process never imports torch; it communicates with `gpu_worker.engine.child` over a socket pair.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gpu_worker.config import Config
from gpu_worker.errors import Canceled, Fault
from gpu_worker.logs import log
from gpu_worker.shared.child_process import child_environment

CHILD_MODULE = "gpu_worker.engine.child"
# OpenMP's threads spin while they wait for each other; beside one busy process (the web server, a
# decoder) that made recognition four times slower on two cores, and it costs a tenth on idle ones.
PATIENT_THREADS = {"OMP_WAIT_POLICY": "PASSIVE"}
START_SECONDS = 300.0  # importing torch from a cold network disk takes minutes
START_TRIES = 3  # engines that die before they are ready, until a waiting job fails
CANCEL_SECONDS = 5.0  # for the engine to hear a cancel, before SIGTERM
KILL_SECONDS = 3.0  # between SIGTERM and SIGKILL: within 10 s in all nothing of the task is left
LONGEST_RESTART_WAIT = 30.0
LOOK_SECONDS = 0.2

Message = dict[str, Any]


@dataclass(frozen=True)
class EngineState:
    """The reported state of the engine; empty until it reports."""

    is_ready: bool = False
    gpu: bool = False
    gpu_name: str = ""
    cuda: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    has_looked: bool = False  # for models, and tried to load its own
    trouble: str = ""  # why the model it should preload cannot be had
    diarization: str = ""  # the pipeline that is ready to tell speakers apart
    diarization_trouble: str = ""  # why there is none
    gpu_memory_bytes: int = 0  # held by the engine after its last task
    failed_starts: int = 0
    restarts: int = 0  # engines that died and were replaced


@dataclass(frozen=True)
class Task:
    """One decoded file to transcribe, and the target of its documents."""

    id: str
    model: str
    options: Message
    audio: Path
    title: str
    documents: dict[str, Path]  # output type → where it goes; the closing message names those written


class Engine:
    """One engine process. All methods may be called from any thread."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._pid_file = config.state_dir / "engine.pid"
        self._changed = threading.Condition()
        self._state = EngineState()
        self._child: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._tasks: dict[str, queue.Queue[Message]] = {}
        self._is_closing = False
        self._was_ended_for_cancel = False  # ended for a cancel: its other tasks start again elsewhere
        # The kernel ties the child's life to the thread that starts it: it has to be one that lasts.
        self._keeper = threading.Thread(target=self._keep, name="engine", daemon=True)

    @property
    def state(self) -> EngineState:
        """Return the current state."""
        return self._state

    def open(self) -> None:
        """Stop an engine left by a previous run, then start one in the background."""
        _end_leftover(self._pid_file)
        self._keeper.start()

    def close(self) -> None:
        """Stop the engine process."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            child = self._child
        if child:
            child.kill()
        self._keeper.join(KILL_SECONDS)

    def recognize(
        self, task: Task, is_canceled: Callable[[], bool], report: Callable[[Message], None]
    ) -> Message:
        """Run one task and return the engine's final message; `report` receives stages and progress.

        Raises Canceled, or Fault with the engine's code or ENGINE_CRASHED.
        """
        while True:
            self._wait_until_ready(is_canceled)
            started = time.monotonic()
            answer = self._attend(task, is_canceled, report)
            log(
                "engine_task", task=task.id, end=answer["event"], seconds=round(time.monotonic() - started, 3)
            )
            if answer["event"] == "done":
                return answer
            if answer["event"] == "canceled" or is_canceled():
                raise Canceled
            if answer["event"] == "failed":
                raise Fault(answer["code"], answer["message"])
            if not answer["ended_for_cancel"]:
                raise Fault("ENGINE_CRASHED", f"The transcription process stopped ({answer['how']}).")

    def _wait_until_ready(self, is_canceled: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        failures = self._state.failed_starts
        with self._changed:
            while not self._state.is_ready:
                if is_canceled():
                    raise Canceled
                if self._state.failed_starts - failures >= START_TRIES or time.monotonic() > deadline:
                    raise Fault("ENGINE_CRASHED", "The transcription process cannot start on this worker.")
                self._changed.wait(LOOK_SECONDS)

    def _attend(
        self, task: Task, is_canceled: Callable[[], bool], report: Callable[[Message], None]
    ) -> Message:
        """Send the task and follow it until its final message or the engine's exit."""
        inbox: queue.Queue[Message] = queue.Queue()
        with self._changed:
            self._tasks[task.id] = inbox
        asked_at = 0.0
        try:
            self._send(_order(task))
            while True:
                message = _next(inbox)
                if message and message["event"] not in ("stage", "listening", "diarizing", "progress"):
                    return message
                if message:
                    report(message)
                if is_canceled() and not asked_at:
                    asked_at = time.monotonic()
                    self._send({"do": "cancel", "task": task.id})
                if asked_at and time.monotonic() - asked_at > CANCEL_SECONDS:
                    self._end_for_cancel()
        finally:
            with self._changed:
                self._tasks.pop(task.id, None)

    def _send(self, message: Message) -> None:
        with self._changed:
            if self._line is None:
                inbox = self._tasks.get(message["task"])
                if inbox:
                    inbox.put(_death("it was not running", False))
                return
            try:
                self._line.sendall(json.dumps(message).encode() + b"\n")
            except OSError:
                pass  # it is dying: the keeper tells every task

    def _end_for_cancel(self) -> None:
        """Stop an engine that ignores a cancellation: SIGTERM, then SIGKILL."""
        with self._changed:
            child = self._child
            if child is None or self._was_ended_for_cancel:
                return
            self._was_ended_for_cancel = True
        log("engine_ended_for_cancel", pid=child.pid)
        child.terminate()
        killer = threading.Timer(KILL_SECONDS, child.kill)
        killer.daemon = True
        killer.start()

    def _keep(self) -> None:
        """The keeper thread: restarts the engine until the worker closes."""
        while not self._is_closing:
            started = time.monotonic()
            line = self._spawn()
            with line, line.makefile("r", encoding="utf-8") as messages:
                try:
                    for text in messages:
                        self._hear(json.loads(text))
                except OSError:
                    pass  # reset by a killed engine: the same as its end
            self._bury(time.monotonic() - started)

    def _spawn(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        config = self._config
        settings = {
            "recognizer": config.engine,
            "diarizer": config.diarizer,
            "cache": str(config.cache_dir),
            "model": config.model,
            "pipeline": config.diarization_pipeline,
            "device": config.diarization_device,
        }
        command = [sys.executable, "-m", CHILD_MODULE, str(theirs.fileno()), str(os.getpid())]
        with theirs:
            child = subprocess.Popen(
                [*command, json.dumps(settings)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
                env={**PATIENT_THREADS, **child_environment("HF_TOKEN")},
                start_new_session=True,  # Ctrl-C in a terminal is for the worker alone
            )
        _note_pid(self._pid_file, child.pid)
        log("engine_started", pid=child.pid)
        with self._changed:
            self._child, self._line = child, ours
            self._was_ended_for_cancel = False
        return ours

    def _hear(self, message: Message) -> None:
        if "task" in message:
            with self._changed:
                inbox = self._tasks.get(message["task"])
            if inbox:
                inbox.put(message)
            return
        with self._changed:
            self._state = _learn(self._state, message)
            self._changed.notify_all()

    def _bury(self, lived: float) -> None:
        """Handle the exit of the engine: fail its tasks, and back off after early exits."""
        child = self._child
        if child is None:
            return
        child.kill()
        how = _cause(child.wait())
        with self._changed:
            self._child = self._line = None
            was_ready, ended_for_cancel = self._state.is_ready, self._was_ended_for_cancel
            failed = 0 if was_ready else self._state.failed_starts + 1
            restarts = self._state.restarts + (not self._is_closing)
            self._state = replace(
                self._state, is_ready=False, failed_starts=failed, restarts=restarts, gpu_memory_bytes=0
            )
            for inbox in self._tasks.values():
                inbox.put(_death(how, ended_for_cancel))
            self._changed.notify_all()
            event = "engine_stopped" if self._is_closing else "engine_died"
            log(event, pid=child.pid, how=how, seconds=round(lived, 3))
            if failed:
                self._changed.wait_for(lambda: self._is_closing, min(LONGEST_RESTART_WAIT, 2.0**failed))


def _order(task: Task) -> Message:
    return {
        "do": "recognize",
        "task": task.id,
        "model": task.model,
        "options": task.options,
        "audio": str(task.audio),
        "title": task.title,
        "documents": {kind: str(path) for kind, path in task.documents.items()},
    }


def _next(inbox: queue.Queue[Message]) -> Message | None:
    try:
        return inbox.get(timeout=LOOK_SECONDS)
    except queue.Empty:
        return None


def _death(how: str, ended_for_cancel: bool) -> Message:
    return {"event": "died", "how": how, "ended_for_cancel": ended_for_cancel}


def _learn(state: EngineState, message: Message) -> EngineState:
    match message["event"]:
        case "ready":
            facts = {name: message[name] for name in ("gpu", "gpu_name", "cuda", "versions")}
            return replace(state, is_ready=True, failed_starts=0, **facts)
        case "unavailable":
            return replace(state, trouble=message["message"])
        case "models":
            return replace(state, models=tuple(message["models"]), has_looked=True)
        case "diarization":
            return replace(state, diarization=message["pipeline"], diarization_trouble=message["trouble"])
        case "memory":
            return replace(state, gpu_memory_bytes=message["gpu_memory_bytes"])
        case _:
            return state


def _cause(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode}"
    name = signal.Signals(-returncode).name
    return f"{name}; often the machine is out of memory" if -returncode == signal.SIGKILL else name


def _note_pid(pid_file: Path, pid: int) -> None:
    pid_file.write_text(json.dumps({"pid": pid, "started": _start_time(pid)}))


def _end_leftover(pid_file: Path) -> None:
    """Kill the engine of a previous run, if the pid still belongs to it."""
    try:
        noted = json.loads(pid_file.read_text())
        pid, started = int(noted["pid"]), noted["started"]
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError, KeyError, TypeError):
        return
    if started and started == _start_time(pid) and CHILD_MODULE.encode() in command:
        log("leftover_engine_ended", pid=pid)
        os.kill(pid, signal.SIGKILL)
    pid_file.unlink(missing_ok=True)


def _start_time(pid: int) -> str:
    """Return the start time of a process in clock ticks after boot; "" if unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rsplit(")", 1)[1].split()[19]  # field 22; the name in brackets may hold spaces
