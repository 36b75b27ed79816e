# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads folders of pictures, one sub-folder per class, as in Coral's examples and most tools.

Pictures are JPEG, PNG or WEBP files.  Hidden files are ignored; any other file raises an
ImageError when it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
import functools
from pathlib import Path

from edgetpu_retrain.errors import ImageError, RecordingError, RequestError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture

MAX_FILE_BYTES = 256 * 1024 * 1024
"""More than a PNG file with the maximum number of pixels; a larger file is not a picture."""

ONE_FOLDER_A_CLASS = (
    'put the pictures of each class into a sub-folder of its name, as in flowers/daisy/1.jpg'
)


def class_folders(folder: Path, *, for_teaching: bool = True) -> dict[str, list[Path]]:
    """
    Return the classes in a folder, and the files of each.

    Args:
        folder: has one sub-folder per class.
        for_teaching: whether to reject labels that cannot be taught, such as 'unknown'.

    Returns:
        The files by class name, both sorted by name; classes without files are left out.

    Raises:
        RequestError: if there is no such folder, it has no sub-folders with files, or a sub-folder
            name is not a valid label.
        RecordingError: if a folder cannot be read.
    """
    entries = _entries(folder)
    folders = [entry for entry in entries if entry.is_dir()]
    if not folders:
        found = f'{len(entries)} files but no sub-folders' if entries else 'nothing in it'
        raise RequestError(f'{folder} has {found}: {ONE_FOLDER_A_CLASS}')
    classes = {
        check_label(each.name, taught_before=not for_teaching): _files(each) for each in folders
    }
    if not any(classes.values()):
        raise RequestError(
            f'{folder} has sub-folders ({", ".join(classes)}), but no files in them: '
            f'{ONE_FOLDER_A_CLASS}'
        )
    return {label: files for label, files in classes.items() if files}


def labelled_pictures(
    classes: dict[str, list[Path]], source: PictureSource | None = None
) -> Iterator[RecordedPicture]:
    """
    Iterate over the pictures of :func:`class_folders`, class by class.

    Args:
        classes: the files of each class.
        source: how they are read; None = with the defaults.
    """
    for label, files in classes.items():
        yield from map(functools.partial(_picture, label=label, source=source), files)


def files_of(paths: Iterable[Path]) -> list[Path]:
    """
    Return the given files, and all files below the given folders.

    Raises:
        RequestError: if a path does not exist, or there are no files.
        RecordingError: if a folder cannot be read.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise RequestError(f'there is no {path}: give pictures, folders of them or a bag')
        files += _all_below(path) if path.is_dir() else [path]
    if not files:
        raise RequestError(
            f'there are no files in {", ".join(map(str, paths))}: give pictures, folders of them '
            'or a bag'
        )
    return files


def plain_pictures(
    files: Iterable[Path], source: PictureSource | None = None
) -> Iterator[RecordedPicture]:
    """Iterate over the pictures of :func:`files_of`; see :func:`labelled_pictures`."""
    return map(functools.partial(_picture, source=source), files)


def _picture(path: Path, label: str = '', source: PictureSource | None = None) -> RecordedPicture:
    return RecordedPicture(str(path), functools.partial(_read, path, source), label)


def _read(path: Path, source: PictureSource | None) -> LazyPicture:
    try:
        if not path.is_file():
            raise ImageError('it is no file')
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ImageError(
                f'it has {size} bytes, and pictures have at most {MAX_FILE_BYTES}: make it smaller'
            )
        content = path.read_bytes()
    except OSError as error:
        raise ImageError(f'it cannot be read: {error.strerror or error}') from error
    return LazyPicture.from_file(content, source)


def _all_below(folder: Path) -> list[Path]:
    files = _files(folder)
    for each in _entries(folder):
        if each.is_dir() and not each.is_symlink():
            files += _all_below(each)
    return files


def _files(folder: Path) -> list[Path]:
    return [entry for entry in _entries(folder) if not entry.is_dir()]


def _entries(folder: Path) -> list[Path]:
    """Return the entries of a folder except hidden ones, sorted by name."""
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError as error:
        raise RequestError(f'there is no folder {folder}: check the path') from error
    except OSError as error:
        raise RecordingError(
            f'the folder {folder} cannot be read ({error.strerror or error}): check the path and '
            'its permissions'
        ) from error
    return [entry for entry in entries if not entry.name.startswith('.')]
