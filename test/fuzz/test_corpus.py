# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Runs all targets on their seeds and on earlier findings, without a fuzzer.

Each file in ``corpus/<target>/`` is an input of that target.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fuzz.target import BrokenPromiseError, check, check_memory, MemoryBudget, Target
from fuzz.target_list import load_target, target_names
import pytest

CORPUS = Path(__file__).parent / 'corpus'
# Every checkout contains the whole corpus.
MAX_CORPUS_BYTES = 300_000


@pytest.mark.parametrize('name', target_names())
def test_a_target_succeeds_or_rejects_its_input_within_its_budget(
    name: str, tmp_path: Path
) -> None:
    target = load_target(name)
    seeds = list(target.seeds())
    assert seeds
    cases = CORPUS / name
    inputs = {f'seed {number}': seed for number, seed in enumerate(seeds)}
    if cases.is_dir():
        inputs |= {path.name: path.read_bytes() for path in sorted(cases.iterdir())}
    # Imports and caches of the first run are not a cost of the input.
    check(target, seeds[0], tmp_path)
    for what, data in inputs.items():
        assert len(data) <= target.max_bytes, what
        check_memory(target, data, tmp_path)


def test_the_corpus_is_small_and_belongs_to_targets() -> None:
    files = [path for path in CORPUS.rglob('*') if path.is_file()]
    assert {path.parent.name for path in files} <= set(target_names())
    assert sum(path.stat().st_size for path in files) <= MAX_CORPUS_BYTES


def _raise(error: Exception) -> Callable[[bytes, Path], object]:
    def run(_data: bytes, _folder: Path) -> None:
        raise error

    return run


def _nothing() -> tuple[bytes, ...]:
    return ()


@pytest.mark.parametrize('error', [ValueError('x'), KeyError('x'), MemoryError()])
def test_other_exceptions_are_raised_unchanged(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)):
        check(Target(_raise(error), _nothing, permitted=(OSError,)), b'', tmp_path)


@pytest.mark.parametrize('words', ['', '  ', 'two\nlines', 'a bell \a'])
def test_a_rejection_without_a_one_line_message_is_a_finding(words: str, tmp_path: Path) -> None:
    target = Target(_raise(OSError(words)), _nothing, permitted=(OSError,))
    with pytest.raises(BrokenPromiseError):
        check(target, b'', tmp_path)


def test_more_memory_than_the_budget_is_a_finding(tmp_path: Path) -> None:
    target = Target(
        lambda data, _folder: bytearray(100_000 * len(data)),
        _nothing,
        memory=MemoryBudget(constant=1_000_000, per_byte=1000),
    )
    check_memory(target, bytes(10), tmp_path)
    with pytest.raises(BrokenPromiseError, match='20 bytes cost 20'):
        check_memory(target, bytes(20), tmp_path)


def test_files_of_a_target_are_removed(tmp_path: Path) -> None:
    def run(data: bytes, folder: Path) -> None:
        (folder / 'some' / 'folder').mkdir(parents=True)
        (folder / 'file').write_bytes(data)

    check(Target(run, _nothing), b'x', tmp_path)
    assert not list(tmp_path.iterdir())
