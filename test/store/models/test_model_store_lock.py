# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import fcntl
from pathlib import Path

from edgetpu_retrain.store.files import lock_wait
from edgetpu_retrain.store.models.model_store import LOCK_FILE, ModelStore
import pytest


def test_the_lock_is_held_until_the_end(tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).touch()
    with (tmp_path / LOCK_FILE).open('ab') as other:
        with ModelStore(tmp_path).locked(), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_partial_files_of_a_killed_process_are_deleted(tmp_path: Path) -> None:
    (tmp_path / '.model_000001.tflite.partial').touch()
    (tmp_path / 'model_000001.tflite').touch()
    with ModelStore(tmp_path).locked():
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            LOCK_FILE,
            'model_000001.tflite',
        ]


def test_a_folder_that_was_removed_is_created_again(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / 'models')
    store.folder.rmdir()
    with store.locked():
        assert store.folder.is_dir()


def test_waits_for_another_writer(tmp_path: Path) -> None:
    asked: list[None] = []
    with (tmp_path / LOCK_FILE).open('ab') as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        def free_at_the_third_time() -> bool:
            asked.append(None)
            if len(asked) == 3:
                fcntl.flock(other, fcntl.LOCK_UN)
            return False

        with ModelStore(tmp_path, is_ending=free_at_the_third_time).locked():
            assert len(asked) == 3


def test_waiting_for_another_writer_stops_at_shutdown(tmp_path: Path) -> None:
    answers = iter([False, True])
    with (tmp_path / LOCK_FILE).open('ab') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        store = ModelStore(tmp_path, is_ending=lambda: next(answers))
        with pytest.raises(BlockingIOError), store.locked():
            pass
    assert not list(answers)


def test_waiting_for_another_writer_times_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_wait, 'PATIENCE_S', 0.0)
    with (tmp_path / LOCK_FILE).open('ab') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError), ModelStore(tmp_path).locked():
            pass
