# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""labels.txt: class names beside a model, in all forms."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from pathlib import Path

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.model_file.metadata.label_file import coral_label_file, read_label_file
from fuzz.target import Target


def _run(data: bytes, folder: Path) -> None:
    path = folder / 'labels.txt'
    path.write_bytes(data)
    for classes in (1, 2, 1001):
        with contextlib.suppress(ModelFileError):
            assert read_label_file(path, classes)


def _seeds() -> Iterator[bytes]:
    yield coral_label_file(['daisy', 'red rose'])
    yield b'daisy\nred rose\n'
    yield '0: Gänseblümchen\r\n2  Rose\r\n'.encode()
    yield b'999999 last\n'
    yield b'1,cat\n2\tdog\n'
    yield '0 Th\u00e9\n'.encode('latin-1')
    yield '0 cat\n1 dog\n'.encode('utf-16')
    yield b'["cat", "dog"]'
    yield b'{"id2label": {"0": "cat", "1": ["n1", "dog"]}}'
    yield b'{"cat": 0, "dog": 1}'


TARGET = Target(run=_run, seeds=_seeds)
