"""Starter weights: whole, unchanged, converted once; and models that are not here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gpu_worker.asr import starter, weights
from gpu_worker.shared.protocol import LANGUAGES
from tests.gpu_worker.worker import ROOT

pytestmark = pytest.mark.weights

CONVERT = "import sys; from pathlib import Path; from gpu_worker.asr import starter; "
CONVERT += "print(starter.checkpoint('tiny.en', Path(sys.argv[1])))"


def test_processes_that_convert_at_once_make_one_good_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CONVERT, str(tmp_path)]
    racing = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)]
    paths = {process.communicate(timeout=60)[0].decode().strip() for process in racing}
    assert [process.returncode for process in racing] == [0, 0]
    assert [str(path) for path in (tmp_path / "models").iterdir()] == list(paths)
    loaded = weights.load("tiny.en", tmp_path, "cpu")
    assert (loaded.source, loaded.whisper.is_multilingual) == ("starter", False)


def test_the_alignment_heads_are_the_models_own(tmp_path: Path) -> None:
    model = weights.load("tiny.en", tmp_path, "cpu").whisper
    # OpenAI's heads of tiny.en; without them half of all heads would be averaged
    assert sorted(map(tuple, model.alignment_heads.indices().T.tolist())) == [
        (1, 0), (2, 0), (2, 5), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4),
    ]  # fmt: skip


def test_a_damaged_cache_file_is_refused_and_made_again(tmp_path: Path) -> None:
    import torch

    path = starter.checkpoint("tiny.en", tmp_path)
    made = torch.load(path, weights_only=True)
    made["model_state_dict"]["decoder.ln.bias"][0] += 1
    torch.save(made, path)
    with pytest.raises(starter.DamagedWeights, match=r"Reinstall requirements/starter\.txt"):
        weights.load("tiny.en", tmp_path, "cpu")
    assert weights.load("tiny.en", tmp_path, "cpu").source == "starter"


def test_a_changed_wheel_does_not_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = starter.installed("tiny.en")[0]
    changed = bytearray(part.read_bytes())
    changed[len(changed) // 2] ^= 1
    (tmp_path / "model.bin").write_bytes(changed)
    monkeypatch.setattr(starter, "installed", lambda _name: (tmp_path / "model.bin",))
    with pytest.raises(starter.DamagedWeights):
        starter.checkpoint("tiny.en", tmp_path)
    assert list((tmp_path / "models").glob("*")) == []


@pytest.mark.parametrize("content", [b"", b"\x06\0\0\0\x0c\0WhisperSpec\0", b"PK" * 5000])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.bin").write_bytes(content)
    with pytest.raises(starter.DamagedWeights, match="cannot be read"):
        starter.convert((tmp_path / "model.bin",))


def test_what_loads_offline_is_listed_truthfully() -> None:
    names = weights.offline_models("tiny.en")
    assert names[0] == "tiny.en"
    assert "base" in names
    assert "large-v3" not in weights.offline_models("large-v3") or weights._is_cached("large-v3")


def test_a_model_that_cannot_be_downloaded_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import whisper

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(whisper._MODELS, "small", "http://127.0.0.1:9/models/0123/small.pt")
    with pytest.raises(weights.ModelUnavailable) as failure:
        weights.load("small", tmp_path, "cpu")
    for hint in ("small.pt", str(tmp_path / "whisper"), "WORKER_MODEL", "base"):
        assert hint in str(failure.value)


def test_a_path_that_is_no_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(weights.ModelUnavailable, match="There is no model file"):
        weights.load(str(tmp_path / "mine.pt"), tmp_path, "cpu")
    (tmp_path / "mine.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(weights.ModelUnavailable, match="not an openai-whisper checkpoint"):
        weights.load(str(tmp_path / "mine.pt"), tmp_path, "cpu")


def test_a_checkpoint_is_loaded_from_its_path(tmp_path: Path) -> None:
    path = starter.checkpoint("tiny.en", tmp_path).rename(tmp_path / "tiny.en.pt")
    loaded = weights.load(str(path), tmp_path, "cpu")
    assert loaded.source == "path"
    assert loaded.whisper.alignment_heads.indices().shape == (2, 8)


def test_the_language_codes_are_whispers_own() -> None:
    from whisper import tokenizer

    assert {code: name.title() for code, name in tokenizer.LANGUAGES.items()} == LANGUAGES
