"""What pages take from npm: which files are served, and what a start says where they are missing."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import override_settings

from bulktranscribe.checks import check_page_packages

ROOT = Path(__file__).resolve().parent.parent.parent
FONT = ROOT / "bulktranscribe" / "static" / "bulktranscribe" / "fonts.css"


def test_the_font_names_files_that_are_served() -> None:
    addresses = re.findall(r'url\("\.\./([^"]+)"\)', FONT.read_text())
    assert addresses
    assert [address for address in addresses if not finders.find(address)] == []


@pytest.mark.parametrize("address", ["npm/axe-core/axe.min.js", "npm/wavesurfer/package.json"])
def test_nothing_else_of_the_packages_is_served(address: str) -> None:
    assert not finders.find(address)


def test_missing_packages_are_a_warning_that_says_what_to_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert not check_page_packages()
    folder = settings.NODE_MODULES / "gone" / "dist"
    with override_settings(STATICFILES_DIRS=[("npm/gone", folder)]):
        call_command("check")
    said = capsys.readouterr().err
    assert "Missing in node_modules: gone/dist" in said and "make install" in said
    assert "W004" not in said


def test_make_goes_on_where_npm_cannot_be_reached(tmp_path: Path) -> None:
    for name in ("Makefile", "package.json", "package-lock.json"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "pages.txt").touch()
    command = ["make", "node_modules/.package-lock.json", "NPM=false", "PY=true"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "run make install to try again" in done.stderr
