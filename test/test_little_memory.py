# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Files that are too large for the memory that is left are not reported as damaged."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import cv2
from edgetpu_retrain.model_file.flatbuffer import pack
from edgetpu_retrain.model_file.metadata.packed_files import append_files
from edgetpu_retrain.sample_archive.archive_writing import write_archive
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.bags import image, write_bag
from support.samples import add_sample
from support.small_models import build_extractor, build_extractor_tree

NOISE = np.random.default_rng(0).integers(0, 256, (4000, 5000, 3), np.uint8)
TESTS = Path(__file__).parent


def jpeg() -> bytes:
    return bytes(cv2.imencode('.jpg', NOISE)[1].tobytes())


def archive(folder: Path) -> Path:
    with SampleStore(folder / 'samples.db') as store:
        embedding = np.ones(4, np.float32)
        add_sample(store, 'noise', embedding, extractor='a' * 64, quantization=None, image=jpeg())
        write_archive(store, folder / 'samples.zip')
    return folder / 'samples.zip'


def large_file(folder: Path, what: str) -> Path:
    """Write a file that takes tens of megabytes."""
    if what in ('archive', 'import'):
        return archive(folder)
    if what in ('mcap', 'sqlite3'):
        return write_bag(folder / 'bag', what, {'/image': [image(NOISE)]})
    content = jpeg()
    if what == 'model':
        tree = build_extractor_tree('uint8')
        # Its name is copied when it is read, in one piece.
        tree.subgraphs[0].tensors[0].name = 'x' * len(content)
        content = pack(tree)
    if what == 'packed files':
        content = append_files(build_extractor('uint8'), {'labels.txt': content})
    (folder / 'file').write_bytes(content)
    return folder / 'file'


def read(reader: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Read a file in another process that has little memory."""
    command = [sys.executable, '-m', 'support.little_memory', reader, str(path)]
    return subprocess.run(
        command,
        cwd=TESTS,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize(
    'what', ['archive', 'mcap', 'model', 'packed files', 'picture', 'sqlite3']
)
def test_too_little_memory_is_not_damage(tmp_path: Path, what: str) -> None:
    reader = 'bag' if what in ('mcap', 'sqlite3') else what
    assert read(reader, large_file(tmp_path, what)).stdout.startswith('MemoryError')


def test_the_command_line_says_that_there_is_too_little_memory(tmp_path: Path) -> None:
    done = read('import', large_file(tmp_path, 'import'))
    assert 'there is too little memory' in done.stderr
    assert 'damaged' not in done.stderr
