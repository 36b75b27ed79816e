# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The labels.txt next to a model, with class names in Coral's format.

Each line has a name, in output order, or an output number and a name, such as ``0 daisy``.
pycoral's classify_image.py reads both forms.  This module writes the second one, and reads both as
well as the forms that other tools and model hubs write (label_formats.py).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from pathlib import Path

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.model_file.metadata.label_formats import read_names, UnfitNames

# Enough for 100,000 names of maximum length (MAX_LABEL_LENGTH in label.py).
_MAX_BYTES = 64 * 1024 * 1024
# Byte-order marks.  UTF-32 comes first, because its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)


def coral_label_file(labels: Sequence[str]) -> bytes:
    r"""
    Return class names as the content of a labels.txt in Coral's format.

    >>> coral_label_file(['daisy', 'red rose'])
    b'0 daisy\n1 red rose\n'
    """
    return ''.join(f'{index} {label}\n' for index, label in enumerate(labels)).encode()


def read_label_file(
    path: Path, classes: int, report: Callable[[str], object] = lambda _: None
) -> tuple[str, ...]:
    r"""
    Return the class names in a label file, in output order.

    The encoding is that of the byte-order mark.  Without a mark, it is UTF-16 if there are NUL
    bytes, else UTF-8 if the content is valid UTF-8, else Latin-1.

    The text has one of the forms in :mod:`~edgetpu_retrain.model_file.metadata.label_formats`.
    Numbers are output numbers only if they fit the model.  If the names are numbered and a number
    is missing, the number becomes the name of its class.

    Args:
        path: the file.
        classes: number of classes of the model.
        report: called with a message if the encoding is a guess.

    Raises:
        ModelFileError: if the file cannot be read, is too large, or has no valid names.
    """
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise ModelFileError(f'{path} has {size} bytes, which is no file of class names')
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f'the label file {path} cannot be read ({error.strerror or error}): check the path'
        ) from error
    try:
        names = read_names(_decode(content, path, report), classes)
    except UnfitNames as error:
        raise ModelFileError(f'{path} is {error}: give one name per line') from error
    if not names:
        raise ModelFileError(f'{path} holds no class names: one is needed in each line')
    return tuple(names)


def _decode(content: bytes, path: Path, report: Callable[[str], object]) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError as error:
                raise ModelFileError(
                    f'{path} begins as {encoding}, and is none ({error.reason}): save it as UTF-8'
                ) from error
    if b'\0' in content:
        return _without_mark(content, path, report)
    try:
        return content.decode()
    except UnicodeDecodeError:
        report(f'{path} is not UTF-8: it is read as Latin-1; save it as UTF-8 if names are wrong')
        return content.decode('latin-1')


def _without_mark(content: bytes, path: Path, report: Callable[[str], object]) -> str:
    """Decode UTF-16, guessing the byte order: the high byte of most characters is 0."""
    big_endian = content[::2].count(0) > content[1::2].count(0)
    encoding = 'utf-16-be' if big_endian else 'utf-16-le'
    text = content.decode(encoding, errors='replace')
    if not all(letter.isprintable() or letter in '\t\r\n' for letter in text) or '\ufffd' in text:
        raise ModelFileError(f'{path} is no text: give a file of class names in UTF-8')
    report(f'{path} has NUL bytes: it is read as {encoding}; save it as UTF-8 if names are wrong')
    return text
