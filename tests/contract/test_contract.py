"""The whole road with real parts: a live controller, Celery, a real worker with real weights, real speech."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jiwer
import pytest
from whisper.normalizers import EnglishTextNormalizer

from benchmarks import measures
from review.edits.word_timing import words_from_json
from tests.contract import media
from tests.contract.installation import SECRET, TOKEN, Installation, wait_for
from tests.contract.servers import postgres_and_redis

pytestmark = pytest.mark.weights


@pytest.fixture(
    scope="module",
    params=["SQLite and files", pytest.param("PostgreSQL and Redis", marks=pytest.mark.servers)],
)
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("installation")
    if request.param == "SQLite and files":
        with Installation(folder) as running:
            yield running
        return
    with postgres_and_redis(folder) as variables, Installation(folder, **variables) as running:
        yield running


@pytest.fixture
def session(installation: Installation) -> str:
    return installation.new_session()


def word_error_rate(reference: str, said: str) -> float:
    normalize = EnglishTextNormalizer()
    return float(jiwer.wer(normalize(reference), normalize(said)))


def inputs_by_name(job: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in job["inputs"]}


@pytest.mark.smoke
def test_a_recording_comes_out_as_words_and_bad_files_as_sentences(
    installation: Installation, session: str, tmp_path: Path
) -> None:
    files = {
        "mill.ogg": media.demo(),
        "letter.mp3": b"Dear Anna,\nthe mill closed in the spring.\n" * 40,
        "picture.mp4": media.video_without_sound(),
        "zero.wav": media.wav(media.np.zeros(0, dtype="int16")),
        "cut.ogg": media.demo()[:60_000],
        "empty.wav": b"",
    }
    answer = installation.upload(session, files)
    assert [(row["name"], row["error"]["code"]) for row in answer["refused"]] == [
        ("empty.wav", "UPLOAD_EMPTY")
    ]
    job = installation.wait_job(installation.start_job(session, answer["uploads"]), 180)
    rows = inputs_by_name(job)
    assert job["status"] == "complete_with_errors"
    for name in ("letter.mp3", "picture.mp4", "zero.wav"):
        assert (rows[name]["status"], rows[name]["error"]["code"]) == ("failed", "INPUT_UNDECODABLE"), name
        assert rows[name]["error"]["sentence"]
        assert rows[name]["error"]["hint"]
        assert rows[name]["canRetry"]
    assert rows["cut.ogg"]["status"] == "complete"
    assert (rows["mill.ogg"]["status"], rows["mill.ogg"]["percent"]) == ("complete", 100.0)
    check_transcript(installation, rows["mill.ogg"]["transcriptUrl"])
    check_secrecy(installation, session)


def test_a_conversation_comes_out_with_each_word_at_its_speaker(
    installation: Installation, session: str
) -> None:
    answer = installation.upload(session, {"mill.ogg": media.demo()})
    job = installation.wait_job(installation.start_job(session, answer["uploads"]), 180)
    (row,) = job["inputs"]
    assert row["status"] == "complete"
    document = installation.get(f"{row['transcriptUrl']}download.json")
    assert document["speakers"] == ["SPEAKER_00", "SPEAKER_01"]
    assert measures.cp_wer(media.demo_texts(), measures.by_speaker(document["segments"])) <= 0.1


def check_transcript(installation: Installation, url: str) -> None:
    text = re.sub(r"(?m)^SPEAKER_\d\d:$", "", installation.get(f"{url}download.txt"))
    assert word_error_rate(media.demo_text(), text) <= 0.15
    document = installation.get(f"{url}download.json")
    words = [word for segment in document["segments"] for word in segment["words"]]
    assert len(words) > 100
    assert all(0 <= word["start"] <= word["end"] <= document["duration"] + 0.5 for word in words)
    assert re.match(r"1\n00:00:0\d,\d{3} --> 00:00:\d\d,\d{3}\n", installation.get(f"{url}download.srt"))
    page = installation.get(url)
    assert page.count('class="said"') >= len(document["segments"])
    state = installation.get(f"/api{url.rstrip('/')}")
    said = [word.text for segment in state["segments"] for word in words_from_json(segment["words"])]
    assert said == [word["word"].strip() for word in words]


def check_secrecy(installation: Installation, session: str) -> None:
    traffic, logs = installation.proxy.heard.decode(errors="replace"), installation.logs()
    assert "POST /v1/jobs HTTP/1.1" in traffic
    signatures = re.findall(r"sig=([0-9a-f]{64})", traffic)
    assert signatures, "the worker was given signed links"
    for secret in (session, session.replace("-", "")):
        assert secret not in traffic, "the session id left the controller"
        assert secret not in logs, "the session id is in a log"
    for secret in (TOKEN, SECRET, *signatures):
        assert secret not in logs, "a token or signature is in a log"
    for event in ("job_created", "job_complete", "model_loaded", "dispatch", "poll status change"):
        assert f'"event": "{event}"' in logs, event


def test_a_killed_worker_is_told_in_a_sentence_and_retry_completes_it(
    installation: Installation, session: str
) -> None:
    answer = installation.upload(session, {"long.wav": media.demo_repeated(2)})
    job_id = installation.start_job(session, answer["uploads"])
    wait_for(
        lambda: installation.job(job_id)["inputs"][0]["percent"] > 5, 90, "the file is being transcribed"
    )
    installation.kill_worker()
    installation.start_worker()
    row = wait_for(
        lambda: (row := installation.job(job_id)["inputs"][0])["error"] and row, 30, "the sentence"
    )
    assert row["error"]["code"] == "REMOTE_JOB_NOT_FOUND"
    assert row["error"]["message"] == "Remote worker restarted or job expired; please retry."
    assert row["remote"]["lastError"]["code"] == "REMOTE_JOB_NOT_FOUND"
    page = installation.get(f"/sessions/{session}/")
    assert "Retry job" in page
    installation.post(f"/api/jobs/{job_id}/retry")
    done = installation.wait_job(job_id, 180)
    assert (done["status"], done["inputs"][0]["attempt"]) == ("complete", 2)


def test_cancel_is_obeyed_between_windows_and_the_next_file_runs(
    installation: Installation, session: str
) -> None:
    answer = installation.upload(session, {"long.wav": media.demo_repeated(8), "mill.ogg": media.demo()})
    long, short = answer["uploads"]
    long_job = installation.start_job(session, [long])
    wait_for(
        lambda: installation.job(long_job)["inputs"][0]["percent"] > 5, 90, "the file is being transcribed"
    )
    short_job = installation.start_job(session, [short])
    assert installation.post(f"/api/jobs/{long_job}/cancel")["job"]["status"] == "canceled"
    wait_for(lambda: '"event": "job_canceled"' in installation.logs(), 30, "the worker stops")
    assert installation.wait_job(short_job, 90)["status"] == "complete"
    assert installation.job(long_job)["status"] == "canceled"


def test_a_model_that_cannot_be_had_says_what_to_do(installation: Installation, session: str) -> None:
    answer = installation.upload(session, {"mill.ogg": media.demo()})
    job = installation.wait_job(installation.start_job(session, answer["uploads"], "medium.en"), 60)
    error = job["inputs"][0]["error"]
    assert (job["status"], error["code"]) == ("failed", "MODEL_UNAVAILABLE")
    assert "medium.en" in error["message"]
    assert error["hint"]
