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
    yield b'{"categories": [{"id": 1, "name": "cat"}]}'
    yield b"{0: 'cat', 1: 'dog'}"
    yield '0 cat\n1 dog\n'.encode('utf-16-le')
    yield b'index,mid,display_name\n0,/m/1,"a, b"\n1,/m/2,c\n'
    yield b'"0";"a b"\n"1";"c"\n'
    yield b'# map\nitem { id: 1 name: "m" display_name: "Caf\\303\\251" }\n'
    yield b'nc: 2\nnames:\n  0: cat\n  1: &a dog\n'
    yield b'---\n- cat\n- dog\n'
    yield b'<!DOCTYPE html>'


TARGET = Target(run=_run, seeds=_seeds)
