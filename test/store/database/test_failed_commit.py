# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Lets the flush at a commit fail, kills the process, and looks at what the next one finds.

The frames of the failed transaction are in the write-ahead log nevertheless.
"""

from __future__ import annotations

from collections.abc import Callable
import json
import os
from pathlib import Path
import subprocess
from typing import Any

from edgetpu_retrain.store.samples.sample_store import SampleStore
import pytest

EXTRACTOR = 'a' * 64
SOURCE = Path(__file__).parents[2] / 'support' / 'failing_sync.c'

# Reads 'add', 'remove', 'undo' or 'count' from each line; prints the result, or the error.
STORE = """
import json, sys
from pathlib import Path
import numpy as np
from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
store = SampleStore(Path(sys.argv[1]))
for line in sys.stdin:
    try:
        if line == 'add\\n':
            sample = Sample('cat', {'a' * 64: np.zeros(8, np.float32)})
            result = store.add([sample], {'a' * 64: None})
        elif line == 'remove\\n':
            result = store.remove('dog', 1, extractor='a' * 64)
        elif line == 'undo\\n':
            result = store.undo() is not None
        else:
            result = store.counts(extractor='a' * 64)
    except StoreError as error:
        result = str(error)
    print(json.dumps(result), flush=True)
"""

Ask = Callable[[str], Any]


@pytest.fixture(scope='module')
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the library that makes flushing fail."""
    library = tmp_path_factory.mktemp('library') / 'failing_sync.so'
    compiler = os.environ.get('CC', 'cc')
    command = [compiler, '-O2', '-Wall', '-shared', '-fPIC', str(SOURCE), '-o', str(library)]
    subprocess.run([*command, '-ldl'], check=True)
    return library


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Return the file that makes flushing fail while it exists."""
    return tmp_path / 'failing'


@pytest.fixture
def process(
    path: Path,
    library: Path,
    disk: Path,
    start_python: Callable[..., subprocess.Popen[str]],
) -> subprocess.Popen[str]:
    """Start a process that has the store open."""
    return start_python('-c', STORE, path, LD_PRELOAD=str(library), FAILING_SYNC=str(disk))


@pytest.fixture
def ask(process: subprocess.Popen[str]) -> Ask:
    def ask(request: str) -> Any:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f'{request}\n')
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    return ask


def after_a_kill(process: subprocess.Popen[str], path: Path) -> dict[str, int]:
    process.kill()
    process.wait()
    with SampleStore(path) as store:
        return store.counts(extractor=EXTRACTOR)


def test_a_refused_sample_does_not_come_back(
    process: subprocess.Popen[str], ask: Ask, path: Path, disk: Path
) -> None:
    assert ask('add') == [1]
    disk.write_text('once')
    refused = ask('add')
    assert 'disk I/O error' in refused
    assert 'not known' not in refused
    assert ask('count') == {'cat': 1}
    assert after_a_kill(process, path) == {'cat': 1}


def test_a_refused_undo_is_not_done_later(
    process: subprocess.Popen[str], ask: Ask, path: Path, disk: Path
) -> None:
    assert ask('add') == [1]
    disk.write_text('once')
    assert 'disk I/O error' in ask('undo')
    assert after_a_kill(process, path) == {'cat': 1}


def test_until_the_disk_works_again_nothing_is_acknowledged(
    process: subprocess.Popen[str], ask: Ask, path: Path, disk: Path
) -> None:
    assert ask('add') == [1]
    disk.write_text('always')
    refused = ask('add')
    assert 'disk I/O error' in refused
    assert 'not known: list the samples' in refused
    assert ask('count') == {'cat': 1}, 'reading works'
    assert 'disk I/O error' in ask('add')
    assert 'disk I/O error' in ask('remove'), 'not even that there is nothing to remove'
    disk.unlink()
    (number,) = ask('add')
    assert number > 1
    assert after_a_kill(process, path) == {'cat': 2}
