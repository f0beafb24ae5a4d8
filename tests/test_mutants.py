"""The list of mutants is up to date; `python -m tests.chaos.mutants` finds out whether the tests notice them."""

import ast
from pathlib import Path

import pytest

from tests.chaos.mutants import MUTANTS

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("name", MUTANTS)
def test_each_protection_is_where_its_mutant_takes_it_out(name: str) -> None:
    for edit in MUTANTS[name].edits:
        assert edit.old in (ROOT / edit.path).read_text(), f"{edit.path} no longer has {edit.old!r}"


@pytest.mark.parametrize("name", MUTANTS)
def test_each_mutant_names_tests_that_are_there(name: str) -> None:
    for test in MUTANTS[name].tests:
        path, _, function = test.partition("::")
        tree = ast.parse((ROOT / path).read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, test
