"""manage.py up: run everything on one machine, until Ctrl-C."""

import signal
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from bulktranscribe.runtime.supervisor import Stack, StackError
from bulktranscribe.sign_in import make_owner, sign_in_link
from remoteworker.models import Worker
from remoteworker.workers.registry import sync_from_settings


class Command(BaseCommand):
    help = (
        "Migrate the database, start web, Celery, and the local worker, and print a sign-in link. "
        "Ctrl-C stops everything."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        interrupt = Interrupt()
        try:
            prepare(self)
            interrupt.check()
            with Stack(self._say) as stack:
                stack.wait_ready()
                seconds = time.monotonic() - started
                self._say(f"Ready after {seconds:.1f} s. Data: {settings.DATA_DIR}\n")
                self._say(f"Sign in (one-time):  {sign_in_link(make_owner())}")
                self._say(f"Later:                {settings.LOCAL_CONTROLLER_URL}/")
                self._say(f"Admin:                {settings.LOCAL_CONTROLLER_URL}/admin/")
                self._say("Press Ctrl-C to stop everything.\n")
                self._watch(stack, interrupt)
        except StackError as problem:
            raise CommandError(str(problem)) from problem
        except KeyboardInterrupt:
            self._say("\nStopped. Your data is kept; `make up` starts it again.")

    def _say(self, text: str) -> None:
        """Print unbuffered, even to a pipe, so that the sign-in link appears immediately."""
        self.stdout.write(text)
        self.stdout.flush()

    def _watch(self, stack: Stack, interrupt: "Interrupt") -> None:
        told = ""
        while True:
            interrupt.check()
            stack.tend()
            news = worker_news()
            if news != told:
                self._say(news)
                told = news
            time.sleep(1.0)


def prepare(command: BaseCommand) -> None:
    """Migrate the database and create the required rows."""
    command.stdout.write("Migrating the database…")
    call_command("migrate", interactive=False, verbosity=0)
    follow_local_worker()
    sync_from_settings()
    Worker.objects.filter(kind=Worker.Kind.LOCAL).update(is_connected=False, checked_at=None)
    make_owner()


def follow_local_worker() -> None:
    """Update the URL of the local worker if it has changed, since the demo may use a different port."""
    url = settings.LOCAL_WORKER_URL
    row = (
        Worker.objects.filter(kind=Worker.Kind.LOCAL, from_settings=True).order_by("is_retired", "pk").first()
    )
    if row is not None and not Worker.objects.filter(url=url).exists():
        Worker.objects.filter(pk=row.pk).update(url=url)


def worker_news() -> str:
    """Return the status of the local worker as text."""
    worker = Worker.usable().filter(kind=Worker.Kind.LOCAL).first()
    if worker is None or not worker.is_connected:
        return "Starting the worker…"
    names = ", ".join(worker.models_at_hand)
    return (
        f"The worker is ready. Installed speech models: {names}"
        if names
        else "The worker is loading its models…"
    )


class Interrupt:
    """Remembers Ctrl-C and SIGTERM, because Python drops exceptions raised inside a destructor."""

    def __init__(self) -> None:
        self.came = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)
        sys.unraisablehook = self._dropped

    def check(self) -> None:
        """Raise KeyboardInterrupt if one was dropped."""
        if self.came:
            raise KeyboardInterrupt

    def _dropped(self, unraisable: "sys.UnraisableHookArgs") -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            sys.__unraisablehook__(unraisable)

    def _note(self, number: int, frame: object) -> None:
        self.came = True
        raise KeyboardInterrupt
