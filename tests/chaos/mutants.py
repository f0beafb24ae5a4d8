"""`python -m tests.chaos.mutants`: takes each protection out of a copy, and expects its tests to go red.

A suite that cannot fail proves nothing. Ends with 0 only where the untouched copy is green and every mutant is
killed. `--changed` takes those only whose module or tests have changed since the last landing. `--storm NAME` runs
a storm over the mutated copy instead, and expects it to count what it exists to count:
`python -m tests.chaos.mutants --storm "no attempt check" duplicated freeze --jobs 60`.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.landed import changed_files
from tests.contract.installation import REPOSITORY

SECONDS = 900.0
AT_ONCE = 2
LIST = "tests/chaos/mutants.py"


@dataclass(frozen=True)
class Edit:
    """`old` stands in the file once at least, or the mutant is out of date; every place is changed."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A protection taken out, and the tests that must each notice: `file::test`, all of its parameters together."""

    edits: tuple[Edit, ...]
    tests: tuple[str, ...]

    @property
    def paths(self) -> set[str]:
        """The files that it is about."""
        return {edit.path for edit in self.edits} | {test.partition("::")[0] for test in self.tests}


CONTAINERS = "gpu_worker/shared/decoding/containers.py"
ONE_DECODER = "tests/jobs/media/test_one_decoder.py"
MUTANTS = {
    "no attempt check": Mutant(
        (
            Edit("remoteworker/attempts/leases.py", "number != latest or status", "status"),
            Edit("jobs/models/work.py", "rows.filter(attempt_count=attempt)", "rows"),
        ),
        (
            "tests/remoteworker/attempts/test_results.py::test_a_late_result_of_a_replaced_attempt_is_refused",
            "tests/remoteworker/test_life.py::test_the_invariants_hold_whatever_happens",
        ),
    ),
    "job id as key": Mutant(
        (Edit("remoteworker/attempts/dispatch.py", "str(attempt.pk))\n", "str(attempt.job_input.job_id))\n"),),
        (
            "tests/remoteworker/attempts/test_dispatch.py::test_the_request_says_what_the_protocol_wants_and_no_session_id",
        ),
    ),
    "HTML 404 counts": Mutant(
        (
            Edit(
                "remoteworker/workers/client.py",
                'if answer is None or "error" not in answer:',
                'if status == 404:\n        return JobNotFound()\n    if answer is None or "error" not in answer:',
            ),
        ),
        (
            "tests/remoteworker/attempts/test_polling.py::test_what_is_not_the_worker_speaking_loses_nothing",
        ),
    ),
    "poll sets complete": Mutant(
        (
            Edit(
                "remoteworker/attempts/leases.py",
                "return Decision(is_contact=True, outputs_expected=True)",
                "return Decision(event=Event.COMPLETED)",
            ),
        ),
        (
            "tests/remoteworker/attempts/test_leases.py::test_a_poll_that_says_complete_completes_nothing",
        ),
    ),
    "cancel waits for the worker": Mutant(
        (
            Edit(
                "remoteworker/receivers.py",
                "        attempt.end(Attempt.Outcome.CANCELED, tell_worker=True)\n",
                "        with registry.client_of(attempt.worker) as client:\n"
                "            client.cancel_job(attempt.worker_job_id)\n"
                "        attempt.end(Attempt.Outcome.CANCELED)\n",
            ),
            Edit(
                "remoteworker/receivers.py",
                "import tasks\n",
                "import tasks\nfrom remoteworker.workers import registry\n",
            ),
        ),
        (
            "tests/remoteworker/attempts/test_polling.py::test_a_cancel_is_passed_on_until_the_worker_has_heard_it",
        ),
    ),
    "serial polls": Mutant(
        (
            Edit(
                "remoteworker/tasks.py", "        nudge(poll_worker, worker.pk)", "        poll_worker(worker.pk)"
            ),
        ),
        (
            "tests/remoteworker/attempts/test_polling.py::test_ticks_are_noted_and_send_one_message_a_worker",
        ),
    ),
    "ticks off": Mutant(
        (Edit("bulktranscribe/settings.py", "poll_workers\": REMOTE_WORKER_POLL_SECONDS", "reap\": REAP_SECONDS"),),
        (
            "tests/bulktranscribe/test_operation.py::test_every_tick_is_in_beats_schedule_and_does_not_pile_up",
        ),
    ),
    "sleeping pollers judge": Mutant(
        (Edit("remoteworker/attempts/leases.py", " and seen.was_awake", ""),),
        (
            "tests/remoteworker/attempts/test_leases.py::test_a_poller_that_slept_declares_nothing_over",
        ),
    ),
    "jumps unseen": Mutant(
        (Edit("remoteworker/clock.py", "        _shift(jump)\n", "        pass\n"),),
        (
            "tests/remoteworker/test_clock.py::test_a_clock_that_jumps_takes_every_waiting_time_along",
        ),
    ),
    "what is put off jumps twice": Mutant(
        (Edit("remoteworker/clock.py", "if jump < timedelta(0):", "if jump:"),),
        (
            "tests/remoteworker/test_clock.py::test_what_is_put_off_after_the_jump_and_before_the_tick_waits_no_longer_for_it",
        ),
    ),
    "beat goes by the wall clock": Mutant(
        (Edit("bulktranscribe/runtime/beat.py", "nowfun=steady_now, ", ""),),
        (
            "tests/bulktranscribe/runtime/test_beat.py::test_ticks_go_on_whatever_the_clock_is_set_to",
        ),
    ),
    "what a killed process forked lives on": Mutant(
        (
            Edit(
                "bulktranscribe/runtime/supervisor.py",
                "SIGKILL)\n                self",
                "SIGCONT)\n                self",
            ),
        ),
        (
            "tests/bulktranscribe/runtime/test_supervisor.py::test_what_a_killed_process_had_forked_ends_before_another_is_started",
        ),
    ),
    "the first audio track": Mutant(
        (Edit(CONTAINERS, 'container.streams.best("audio")', "next(iter(container.streams.audio), None)"),),
        (f"{ONE_DECODER}::test_of_two_audio_tracks_transcript_waveform_and_player_take_the_same",),
    ),
    "endless damage": Mutant(
        (Edit("gpu_worker/shared/decoding/decoded_audio.py", "damaged += 1", "pass"),),
        (f"{ONE_DECODER}::test_audio_goes_on_after_damage_and_ends_after_endless_damage",),
    ),
    "a jump to before the start": Mutant(
        (Edit(CONTAINERS, "return -(failure.errno or errno.EINVAL)", "raise"),),
        (f"{ONE_DECODER}::test_a_file_that_leads_to_before_its_start_is_read_as_far_as_it_goes",),
    ),
    "browsers choose the track": Mutant(
        (Edit("jobs/media/renditions.py", "    if track:\n", "    if track < 0:\n"),),
        ("tests/jobs/media/test_renditions.py::test_a_copy_is_made_where_browsers_would_play_another_track",),
    ),
    "no condition on the status": Mutant(
        (Edit("jobs/models/work.py", "filter(pk=self.pk, status__in=move.sources)", "filter(pk=self.pk)"),),
        (
            "tests/jobs/test_statuses.py::test_a_move_by_a_reader_with_an_old_row_is_judged_by_the_database",
        ),
    ),
    "no turns between sessions": Mutant(
        (Edit("remoteworker/scheduling/queue.py", '            "turn",\n', ""),),
        (
            "tests/remoteworker/scheduling/test_queue.py::test_sessions_take_turns_and_the_oldest_of_each_comes_first",
        ),
    ),
    "each tick moves what jumped": Mutant(
        (Edit("remoteworker/clock.py", "name=REFERENCE", "name=name"),),
        (
            "tests/remoteworker/test_clock.py::test_a_jump_counts_once_however_many_ticks_see_it",
        ),
    ),
    "a lost answer is forgotten": Mutant(
        (Edit("remoteworker/attempts/dispatch.py", "        tell_worker=attempt.sent_at is not None,\n", ""),),
        (
            "tests/remoteworker/attempts/test_dispatch.py::test_a_worker_whose_answer_was_lost_is_told_when_the_file_goes_elsewhere",
        ),
    ),
    "a slept lease is not given back": Mutant(
        (Edit("remoteworker/attempts/poll.py", 'for name in ("lease_until", ', "for name in ("),),
        (
            "tests/remoteworker/test_clock.py::test_a_controller_that_slept_polls_once_before_it_gives_anything_up",
        ),
    ),
    "ends are told at every tick": Mutant(
        (
            Edit(
                "jobs/notifications/outbox.py",
                "        Job.objects.filter(pk=pk).update(told_at=timezone.now())\n",
                "",
            ),
        ),
        (
            "tests/jobs/notifications/test_delivery.py::test_a_webhook_is_told_once_what_became_of_the_job",
        ),
    ),
    "all who want a lease get it": Mutant(
        (Edit("jobs/row_leases.py", "rows.filter(self._is_free(now)).update", "rows.update"),),
        (
            "tests/jobs/notifications/test_delivery.py::test_of_two_who_want_to_send_a_notice_one_does",
            "tests/remoteworker/test_row_leases.py::test_one_of_two_gets_it",
            "tests/remoteworker/test_clock.py::test_a_claim_of_before_the_clock_went_back_is_free",
        ),
    ),
    "who waited for a row takes the lease of another": Mutant(
        (Edit("jobs/row_leases.py", "now + self.period + WAITED", "now + self.period"),),
        (
            "tests/remoteworker/test_row_leases.py::test_who_looked_at_the_clock_before_the_winner_did_gets_nothing",
        ),
    ),
    "a lease stays behind when the clock jumps": Mutant(
        (Edit("remoteworker/clock.py", "        lease.shift(jump)\n", "        pass\n"),),
        ("tests/remoteworker/test_row_leases.py::test_a_jump_of_the_clock_takes_it_along",),
    ),
    "what was checked is looked up again": Mutant(
        (
            Edit(
                "jobs/notifications/webhook_post.py",
                "create_connection((self._address,",
                "create_connection((self.host,",
            ),
        ),
        (
            "tests/jobs/notifications/test_webhook_post.py::test_a_name_is_looked_up_once_and_what_was_checked_is_spoken_to",
        ),
    ),
    "webhooks go anywhere": Mutant(
        (
            Edit(
                "jobs/notifications/webhook_addresses.py",
                "    for address in addresses:\n        check_ip(address)\n",
                "",
            ),
        ),
        (
            "tests/jobs/notifications/test_webhook_post.py::test_this_machine_by_whatever_name_is_not_spoken_to",
            "tests/jobs/notifications/test_webhook_post.py::test_a_name_with_one_private_address_among_others_is_refused",
        ),
    ),
    "a trickle buys time": Mutant(
        (
            Edit(
                "jobs/notifications/webhook_post.py",
                "        self._watch.start()\n",
                "",
            ),
        ),
        (
            "tests/jobs/notifications/test_webhook_post.py::test_a_receiver_that_never_finishes_is_left_in_time",
        ),
    ),
    "a token for one session is for all": Mutant(
        (Edit("jobs/access.py", " and not _is_confined(person, session)", ""),),
        (
            "tests/jobs/api/test_tokens.py::test_a_token_for_one_session_sees_no_other",
            "tests/jobs/api/test_programs.py::test_a_token_that_is_not_for_it_finds_nothing_at_any_operation",
        ),
    ),
    "a token may all": Mutant(
        (Edit("jobs/access.py", "if token and scope not in token.scopes:", "if False:"),),
        (
            "tests/jobs/api/test_tokens.py::test_a_token_does_what_its_scope_says_and_nothing_else",
        ),
    ),
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only these")
    parser.add_argument(
        "--changed", action="store_true", help="only those that changed since the last landing"
    )
    parser.add_argument("--storm", nargs=argparse.REMAINDER, metavar=("NAME", "COUNTED"), help="and a storm")
    options = parser.parse_args()
    if options.storm:
        return storm_over(*options.storm)
    chosen = {name: MUTANTS[name] for name in options.names or (changed() if options.changed else MUTANTS)}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        everything = {test for mutant in chosen.values() for test in mutant.tests}
        is_green = run(copy_of(Path(folder) / "untouched", ()), tuple(sorted(everything))) == 0 or not chosen
        print(f"{'green' if is_green else 'RED'}: untouched", flush=True)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            places = (Path(folder) / str(number) for number in range(len(chosen)))
            survived = [name for name in pool.map(survivor, chosen, places) if name]
    return 1 if survived or not is_green else 0


def changed() -> list[str]:
    """Those whose module or tests have changed since the last landing; all where the list has, or nobody knows."""
    files = changed_files()
    if files is None or LIST in files:
        return list(MUTANTS)
    names = [name for name, mutant in MUTANTS.items() if mutant.paths & files]
    print(f"{len(names)} of {len(MUTANTS)} mutants are of modules that have changed", flush=True)
    return names


def survivor(name: str, place: Path) -> str | None:
    """Return the name where a test is green on the mutant."""
    copy_of(place, MUTANTS[name].edits)
    codes = {test: run(place, (test,)) for test in MUTANTS[name].tests}
    survived = [f"{test} ({code})" for test, code in codes.items() if code != 1]
    print(f"{'SURVIVED' if survived else 'killed'}: {name}", *survived, flush=True)
    shutil.rmtree(place)
    return name if survived else None


def storm_over(name: str, counted: str, *storm: str) -> int:
    """Return 0 where a storm over the mutant counts some of what must be nought."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        Path(folder).chmod(0o711)
        copy_of(Path(folder), MUTANTS[name].edits)
        argv = [sys.executable, "-m", "tests.chaos", *storm]
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr[-1000:], flush=True)
    found = re.search(rf"\b(\d+) {re.escape(counted)}\b", done.stdout)
    is_killed = done.returncode == 1 and found is not None and int(found[1]) > 0
    print(f"{'killed' if is_killed else 'SURVIVED'} by the storm: {name}", flush=True)
    return 0 if is_killed else 1


def copy_of(folder: Path, edits: tuple[Edit, ...]) -> Path:
    """Copy what the program and its tests need into `folder`, with these edits. Raises where one does not fit."""
    wanted = (
        "bulktranscribe",
        "jobs",
        "remoteworker",
        "review",
        "gpu_worker",
        "templates",
        "tests",
        "benchmarks",
        "docs",
    )
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in wanted:
        shutil.copytree(REPOSITORY / name, folder / name, ignore=ignore)
    for name in ("manage.py", "pyproject.toml", ".env.example"):
        shutil.copy(REPOSITORY / name, folder / name)
    for edit in edits:
        path = folder / edit.path
        text = path.read_text()
        if edit.old not in text:
            raise SystemExit(f"{edit.path} no longer has {edit.old!r}: bring the mutant up to date")
        path.write_text(text.replace(edit.old, edit.new))
    return folder


def run(folder: Path, tests: tuple[str, ...]) -> int:
    """Return pytest's exit code: 0 green, 1 red; anything else is no verdict."""
    argv = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    env = {**os.environ, "LIFE_RUNS": "150"}
    done = subprocess.run(
        argv, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    if done.returncode not in (0, 1):
        print(done.stdout[-1500:], done.stderr[-500:])
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
