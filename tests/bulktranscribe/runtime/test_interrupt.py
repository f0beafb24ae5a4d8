"""Ctrl-C at a moment in which Python drops the exception."""

import os
import signal
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management.base import BaseCommand

from bulktranscribe.management.commands import demo
from bulktranscribe.management.commands.up import Interrupt
from bulktranscribe.runtime import supervisor


@pytest.fixture
def interrupt() -> Iterator[Interrupt]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    hook = sys.unraisablehook
    yield Interrupt()
    sys.unraisablehook = hook
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_ctrl_c_inside_a_destructor_is_remembered(interrupt: Interrupt) -> None:
    class Dying:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    interrupt.check()
    thing: Any = Dying()
    del thing
    with pytest.raises(KeyboardInterrupt):
        interrupt.check()


def test_a_ctrl_c_elsewhere_comes_at_once(interrupt: Interrupt) -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_the_demo_starts_nothing_after_a_ctrl_c_that_was_dropped(
    interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepared(_command: BaseCommand) -> None:
        interrupt.came = True  # in a destructor, while the database was brought up to date

    monkeypatch.setattr(demo, "prepare", prepared)
    monkeypatch.setattr(demo, "choose_free_ports", lambda: None)
    monkeypatch.setattr(supervisor, "Stack", lambda *args: pytest.fail("it started the processes"))
    with pytest.raises(KeyboardInterrupt), demo.running_stack(demo.Command(stdout=StringIO()), interrupt):
        pytest.fail("it went on")
