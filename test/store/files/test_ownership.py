# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
import os
from pathlib import Path
import platform
import signal
import subprocess

from edgetpu_retrain.errors import StoreError
from edgetpu_retrain.store.files.ownership import Ownership
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.samples import add_sample

OWNER = """
import sys, time
from pathlib import Path
from edgetpu_retrain.store.files.ownership import Ownership
ownership = Ownership(Path(sys.argv[1]))
print('owns', flush=True)
time.sleep(600)
"""

# Forks a child that outlives it, as a hanging device probe does, and prints its pid.
FORKING_OWNER = """
import os, sys, time
from pathlib import Path
from edgetpu_retrain.store.files.ownership import Ownership
ownership = Ownership(Path(sys.argv[1]))
begun, begin = os.pipe()
child = os.fork()
if child:
    os.read(begun, 1)
    print(child, flush=True)
else:
    os.write(begin, b'x')
time.sleep(600)
"""

# Writes without owning the folder, as the command line does.
TEACHER = """
import sys
from pathlib import Path
import numpy as np
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
with SampleStore(Path(sys.argv[1]) / 'samples.db') as store:
    for _ in range(50):
        print(*store.add([Sample('hat', {'a' * 64: np.zeros(8, np.float32)})], {'a' * 64: None}))
"""

Start = Callable[..., subprocess.Popen[str]]


def test_a_second_process_is_rejected_with_the_pid_of_the_first(
    tmp_path: Path, start_python: Start
) -> None:
    first = start_python('-c', OWNER, tmp_path)
    assert first.stdout is not None
    first.stdout.readline()
    words = rf'{tmp_path} is in use by another node \(process {first.pid}\)\. What to do: '
    with pytest.raises(StoreError, match=words):
        Ownership(tmp_path)
    first.kill()
    assert first.wait() == -signal.SIGKILL
    with Ownership(tmp_path):
        pass


def test_a_child_that_outlives_a_killed_owner_does_not_own(
    tmp_path: Path, start_python: Start
) -> None:
    first = start_python('-c', FORKING_OWNER, tmp_path)
    assert first.stdout is not None
    child = int(first.stdout.readline())
    try:
        first.kill()
        first.wait()
        os.kill(child, 0)
        Ownership(tmp_path).release()
    finally:
        os.kill(child, signal.SIGKILL)


def test_the_command_line_works_beside_the_owner(tmp_path: Path, start_python: Start) -> None:
    with Ownership(tmp_path), SampleStore(tmp_path / 'samples.db') as store:
        other = start_python('-c', TEACHER, tmp_path)
        assert other.stdout is not None
        row = np.zeros(8, np.float32)
        for _ in range(50):
            add_sample(store, 'mug', row, extractor='a' * 64, quantization=None)
        ids = [int(line) for line in other.stdout]
        assert other.wait() == 0
        assert len(set(ids)) == 50
        assert store.counts(extractor='a' * 64) == {'mug': 50, 'hat': 50}


def test_two_nodes_in_one_process_are_rejected(tmp_path: Path) -> None:
    with Ownership(tmp_path), pytest.raises(StoreError, match=f'process {os.getpid()}'):
        Ownership(tmp_path)
    with Ownership(tmp_path) as ownership:
        ownership.release()
        ownership.release()
        Ownership(tmp_path).release()


def test_a_rejected_node_does_not_release_the_folder(tmp_path: Path) -> None:
    with Ownership(tmp_path):
        for _ in range(2):
            with pytest.raises(StoreError, match=f'process {os.getpid()}'):
                Ownership(tmp_path)


def test_folders_are_owned_one_by_one(tmp_path: Path) -> None:
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
    with Ownership(tmp_path / 'a'), Ownership(tmp_path / 'b'):
        pass


def test_a_longer_name_of_an_earlier_owner_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / 'owner').write_text('1234567890 a-host-with-a-long-name\n' * 10)
    with Ownership(tmp_path):
        assert (tmp_path / 'owner').read_text() == f'{os.getpid()} {platform.node()}\n'


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'', 'which has only just begun'),
        (b'\xff\xfe\x00', 'which has only just begun'),
        (b'42 another-robot\n', "process 42 on 'another-robot'"),
        (b'42\n', "process 42 on ''"),
    ],
)
def test_the_message_names_the_owner_if_known(content: bytes, words: str, tmp_path: Path) -> None:
    with Ownership(tmp_path):
        (tmp_path / 'owner').write_bytes(content)
        with pytest.raises(StoreError, match=f'another node .{words}.. What to do: '):
            Ownership(tmp_path)


def _folder_in_its_place(folder: Path) -> None:
    (folder / 'owner').mkdir()


def _folder_gone(folder: Path) -> None:
    folder.rmdir()


@pytest.mark.parametrize('prepare', [_folder_in_its_place, _folder_gone])
def test_an_owner_file_that_cannot_be_created_raises_store_error(
    prepare: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = tmp_path / 'data'
    folder.mkdir()
    prepare(folder)
    with pytest.raises(StoreError, match=f'data folder with {folder / "owner"}: .*What to do: '):
        Ownership(folder)


def test_a_read_only_folder_and_a_full_disk_raise_store_error(
    tmp_path: Path,
    read_only: Callable[[Path], AbstractContextManager[None]],
    file_size_limit: Callable[[int], AbstractContextManager[None]],
) -> None:
    with read_only(tmp_path), pytest.raises(StoreError, match=r'data folder with .*permission'):
        Ownership(tmp_path)
    with file_size_limit(0), pytest.raises(StoreError, match=r'data folder with .*free space'):
        Ownership(tmp_path)
    Ownership(tmp_path).release()


def test_a_disk_that_has_become_read_only_can_be_owned(
    tmp_path: Path, read_only: Callable[[Path], AbstractContextManager[None]]
) -> None:
    Ownership(tmp_path).release()
    before = (tmp_path / 'owner').read_bytes()
    words = 'could not write its process id down'
    with read_only(tmp_path), Ownership(tmp_path), pytest.raises(StoreError, match=words):
        Ownership(tmp_path)
    assert (tmp_path / 'owner').read_bytes() == before
    Ownership(tmp_path).release()
