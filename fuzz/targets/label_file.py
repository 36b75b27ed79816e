# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""labels.txt: class names beside a model, in Coral's forms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgetpu_retrain.model_file.metadata.label_file import coral_label_file, read_label_file
from fuzz.target import Target


def _run(data: bytes, folder: Path) -> None:
    path = folder / 'labels.txt'
    path.write_bytes(data)
    read_label_file(path)


def _seeds() -> Iterator[bytes]:
    yield coral_label_file(['daisy', 'red rose'])
    yield b'daisy\nred rose\n'
    yield '0: Gänseblümchen\r\n2  Rose\r\n'.encode()
    yield b'999999 last\n'


TARGET = Target(run=_run, seeds=_seeds)
