# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The labels.txt beside a model, with class names in Coral's format.

Each line has a name, in the order of the outputs, or an output number and a name, such as
``0 daisy``.  pycoral's classify_image.py reads the second form.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
import re

from edgetpu_retrain.errors import ModelFileError

# Enough for 100,000 names of maximum length.
_MAX_BYTES = 64 * 1024 * 1024
# Real files skip some numbers (Coral's COCO labels have 80 names for numbers up to 89).  With this
# limit a short file cannot expand to a million names.
_MOST_LEFT_OUT = 10_000
_NUMBERED = re.compile(r'(\d{1,9})[:\s]\s*(.*\S)', re.ASCII)


def coral_label_file(labels: Sequence[str]) -> bytes:
    r"""
    Return class names as the content of a labels.txt in Coral's format.

    >>> coral_label_file(['daisy', 'red rose'])
    b'0 daisy\n1 red rose\n'
    """
    return ''.join(f'{index} {label}\n' for index, label in enumerate(labels)).encode()


def read_label_file(path: Path) -> tuple[str, ...]:
    """
    Return the class names in a label file, in output order.

    Numbers are removed only if every line has one.  A class without a line gets its number as its
    name.

    Args:
        path: the file, UTF-8.

    Raises:
        ModelFileError: if it cannot be read or contains no names.
    """
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise ModelFileError(f'{path} has {size} bytes, which is no file of class names')
        lines = path.read_bytes().decode().splitlines()
    except OSError as error:
        raise ModelFileError(
            f'the label file {path} cannot be read ({error.strerror or error}): check the path'
        ) from error
    except UnicodeDecodeError as error:
        raise ModelFileError(f'{path} is no UTF-8 text: give a file of class names') from error
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise ModelFileError(f'{path} holds no class names: one is needed in each line')
    numbered = [_NUMBERED.fullmatch(name) for name in names]
    by_number = {int(match[1]): match[2] for match in numbered if match is not None}
    if len(by_number) < len(names) or max(by_number) >= len(names) + _MOST_LEFT_OUT:
        return tuple(names)
    return tuple(by_number.get(index, str(index)) for index in range(max(by_number) + 1))
