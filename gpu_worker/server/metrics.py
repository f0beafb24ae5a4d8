"""Metrics for Prometheus at GET /metrics: counters since the start, and current gauges."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE

from gpu_worker.shared.protocol import ACTIVE_STATUSES, ENGINE_STAGES, TERMINAL_STATUSES, VERSION

PREFIX = "bulk_transcribe_worker"

__all__ = ["CONTENT_TYPE", "Metrics", "Now"]


@dataclass(frozen=True)
class Now:
    """How things stand at one moment."""

    jobs: Mapping[str, int]  # by status, those that are not settled
    files_waiting: int  # decoded, for a place in the engine
    capacity: int
    engine_ready: bool
    engine_restarts: int
    gpu_memory_bytes: int


class Metrics:
    """Counts in a registry of its own. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._work_seconds = 0.0
        self._audio_seconds = 0.0
        self._stages = Counter(
            f"{PREFIX}_stage_seconds", "Seconds spent by stage.", ["stage"], registry=registry
        )
        self._audio = Counter(f"{PREFIX}_audio_seconds", "Audio seconds transcribed.", registry=registry)
        self._ended = Counter(f"{PREFIX}_jobs_ended", "Jobs ended.", ["status"], registry=registry)
        self._speed = self._gauge("speed", "Audio seconds per second of engine time.")
        self._jobs = Gauge(f"{PREFIX}_jobs", "Jobs currently held.", ["status"], registry=registry)
        self._waiting = self._gauge("files_waiting", "Decoded files waiting for the engine.")
        self._capacity = self._gauge("capacity", "Maximum number of concurrent jobs.")
        self._ready = self._gauge("engine_ready", "1 while the engine is running.")
        self._restarts = self._gauge("engine_restarts", "Engine processes that were restarted.")
        self._memory = self._gauge("gpu_memory_bytes", "GPU memory in use after the last task.")
        Gauge(f"{PREFIX}_info", "Version of the worker.", ["version"], registry=registry).labels(VERSION).set(
            1
        )

    def spend(self, stage: str, seconds: float) -> None:
        """One file was in this stage for so long."""
        self._stages.labels(stage).inc(seconds)
        if stage in ENGINE_STAGES:
            with self._lock:
                self._work_seconds += seconds

    def hear(self, seconds: float) -> None:
        """So much audio was transcribed."""
        self._audio.inc(seconds)
        with self._lock:
            self._audio_seconds += seconds

    def end(self, status: str) -> None:
        """A job ended so."""
        self._ended.labels(status).inc()

    def render(self, now: Now) -> bytes:
        """Return everything in Prometheus's text format 0.0.4."""
        with self._lock:  # gauges are set and read in one go
            for status in (*ACTIVE_STATUSES, *TERMINAL_STATUSES):
                self._jobs.labels(status).set(now.jobs.get(status, 0))
            self._speed.set(self._audio_seconds / self._work_seconds if self._work_seconds else 0.0)
            self._waiting.set(now.files_waiting)
            self._capacity.set(now.capacity)
            self._ready.set(now.engine_ready)
            self._restarts.set(now.engine_restarts)
            self._memory.set(now.gpu_memory_bytes)
            return generate_latest(self._registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", meaning, registry=self._registry)
