# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Samples that remain after teaching is interrupted."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.teaching import BATCH
import pytest
from support.bags import photographs, png
from support.command_line_types import Run, TEACH_ALL

pytestmark = pytest.mark.usefixtures('measured_processes')

PICTURES = 5000


@pytest.fixture(scope='module')
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with more pictures than anybody waits for."""
    folder = tmp_path_factory.mktemp('many')
    (folder / 'cat').mkdir()
    (folder / 'picture.png').write_bytes(png(photographs('cat', 1)[0]))
    for number in range(PICTURES):
        (folder / 'cat' / f'{number}.png').symlink_to(folder / 'picture.png')
    return folder


@pytest.fixture
def teaching(many: Path, tmp_path: Path, package_path: str) -> Iterator[subprocess.Popen[str]]:
    """Return a process that teaches and has stored its first samples."""
    command = [sys.executable, '-m', 'edgetpu_retrain', *TEACH_ALL, str(many)]
    with subprocess.Popen(
        [*command, '--data-dir', str(tmp_path)],
        env={**os.environ, 'PYTHONPATH': package_path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while process.poll() is None and stored(tmp_path) < BATCH:
            pass
        yield process
        process.kill()


def stored(folder: Path) -> int:
    identity = describe(default_extractor_path().read_bytes()).identity
    with SampleStore(folder / 'samples.db') as store:
        return store.counts(extractor=identity).get('cat', 0)


def test_a_kill_costs_at_most_a_batch(teaching: subprocess.Popen[str], tmp_path: Path) -> None:
    teaching.kill()
    teaching.wait()
    assert stored(tmp_path) >= BATCH
    assert stored(tmp_path) % BATCH == 0


def test_ctrl_c_stores_what_was_seen(teaching: subprocess.Popen[str], tmp_path: Path) -> None:
    teaching.send_signal(signal.SIGINT)
    _, problems = teaching.communicate()
    assert teaching.returncode == 1
    assert 'Traceback' not in problems
    count = stored(tmp_path)
    assert BATCH <= count < PICTURES
    assert f'stopped early; {count} samples are stored' in problems
    assert problems.splitlines()[-1].startswith('error: stopped')


def test_samples_are_counted_if_ctrl_c_comes_right_after_they_are_stored(
    run: Run, lessons: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = SampleStore.add

    def add_and_stop(*arguments: Any, **options: Any) -> None:
        add(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(SampleStore, 'add', add_and_stop)
    ended = run(*TEACH_ALL, lessons, '--data-dir', tmp_path)
    assert ended.code == 1
    assert 'stopped early; 36 samples are stored' in ended.err
