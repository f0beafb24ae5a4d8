"""Ctrl-C at a moment in which Python drops the exception."""

import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from bulktranscribe.management.commands.up import Interrupt


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
