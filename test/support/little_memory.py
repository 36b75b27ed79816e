# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads a file while there is too little memory for it, and prints the exception.

    python3 -m support.little_memory READER FILE     # in test/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
from pathlib import Path
import resource
import sys

import cv2
from edgetpu_retrain.command_line.group import run as run_command_line
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.model_file.metadata.packed_files import read_files
from edgetpu_retrain.model_file.schema import load_schema
from edgetpu_retrain.pictures.compressed_image import decode_picture
from edgetpu_retrain.recordings import bag_reader  # noqa: F401 - imported before memory is short
from edgetpu_retrain.recordings.image_bag import BagPart, ImageBag
from edgetpu_retrain.sample_archive.archive_reading import open_archive

_SPARE = 1024 * 1024


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """Let this process allocate at most a few megabytes during the context."""
    in_use = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (in_use, before[1]))
    # The C library may have kept any amount of freed memory.
    used: list[bytearray] = []
    with contextlib.suppress(MemoryError):
        while True:
            used.append(bytearray(_SPARE))
    del used[:2]
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _read_bytes(read: Callable[[bytes], object]) -> Callable[[Path], None]:
    def read_file(path: Path) -> None:
        content = path.read_bytes()
        with little_memory():
            read(content)

    return read_file


def _read_archive(path: Path) -> None:
    with open_archive(path) as archive, little_memory():
        list(archive.samples())


def _read_bag(path: Path) -> None:
    with ImageBag(path, BagPart('/image')) as bag, little_memory():
        list(bag)


def _import(path: Path) -> None:
    with little_memory():
        run_command_line(['samples', 'import', str(path), '--data-dir', str(path.parent / 'data')])


_READERS: dict[str, Callable[[Path], None]] = {
    'model': _read_bytes(parse),
    'packed files': _read_bytes(read_files),
    'picture': _read_bytes(decode_picture),
    'archive': _read_archive,
    'bag': _read_bag,
    'import': _import,
}


def main() -> None:
    """Read the file."""
    # Libraries are loaded, and threads started, before memory is short.
    cv2.setNumThreads(1)
    load_schema()
    reader, path = sys.argv[1:]
    try:
        _READERS[reader](Path(path))
    except Exception as error:  # noqa: BLE001 - the test checks which one it is
        print(f'{type(error).__name__}: {error}')


if __name__ == '__main__':
    main()
