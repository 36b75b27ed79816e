# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads folders of pictures, one sub-folder per class, as in Coral's examples and most tools.

Sub-folders of a class belong to it, as in torchvision's ImageFolder.  Each direct sub-folder of a
class is one recording.

Pictures are JPEG, PNG or WEBP files.  Reading any other file raises an ImageError.  Hidden files
are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
import functools
from pathlib import Path

from edgetpu_retrain.errors import ImageError, RecordingError, RequestError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture
from edgetpu_retrain.recordings.tally import Tally
from edgetpu_retrain.wording import counted, named, quoted

MAX_FILE_BYTES = 256 * 1024 * 1024
"""Maximum size of a picture file, bytes; 64 megapixels of 8-bit RGB are 192 MB."""

# The endings of pictures, readable or not.  Other files next to the class folders, such as a
# licence, are not counted.
_ENDINGS = frozenset(
    ['.jpg', '.jpeg', '.png', '.webp', '.bmp', '.gif', '.tif', '.tiff', '.avif', '.heic', '.pgm']
)

# The names that public data sets use for their splits.
_PARTS = frozenset(['train', 'training', 'val', 'valid', 'validation', 'test', 'testing'])

ONE_FOLDER_A_CLASS = (
    'put the pictures of each class into a sub-folder of its name, as in flowers/daisy/1.jpg'
)


def class_folders(
    folder: Path,
    *,
    for_teaching: bool = True,
    tally: Tally | None = None,
    report: Callable[[str], object] = lambda _: None,
) -> dict[str, list[Path]]:
    """
    Return the classes in a folder, and the files of each.

    Args:
        folder: has one sub-folder per class; deeper sub-folders belong to the same class.
        for_teaching: whether to leave out classes that cannot be taught, such as 'unknown'.
        tally: receives the number of files that were found, and of those left out.
        report: called with a message for each problem, such as a folder that is left out.

    Returns:
        The files by class name; classes without files are left out.

    Raises:
        RequestError: if there is no such folder, if it has no valid class with files, or if it is
            a data set with splits such as train and val.
        RecordingError: if a folder cannot be read.
    """
    tally = Tally() if tally is None else tally
    entries = _entries(folder)
    folders = [entry for entry in entries if entry.is_dir()]
    if not folders:
        found = f'{len(entries)} files but no sub-folders' if entries else 'nothing in it'
        raise RequestError(f'{folder} has {found}: {ONE_FOLDER_A_CLASS}')
    if all(map(_is_part, folders)):
        raise RequestError(
            f'{folder} is a data set in parts ({named([each.name for each in folders])}), each '
            f'with folders of classes: give one of them, such as {folders[0]}'
        )
    classes: dict[str, list[Path]] = {}
    problems = []
    for each in folders:
        files = _all_below(each, report)
        tally.found += len(files)
        label = each.name.strip()
        try:
            check_label(label, taught_before=not for_teaching)
        except RequestError as error:
            problems.append(f'{quoted(each.name)} is left out: {error}')
            tally.left_out['in folders that cannot be classes'] += len(files)
            continue
        if not files:
            problems.append(f'{quoted(each.name)} is left out: it has no files')
            continue
        if label != each.name:
            problems.append(f'{quoted(each.name)} is class {quoted(label)}')
        classes.setdefault(label, []).extend(files)
    if not tally.found:
        raise RequestError(
            f'{folder} has sub-folders ({named([each.name for each in folders])}), but no files '
            f'in them: {ONE_FOLDER_A_CLASS}'
        )
    if not classes:
        raise RequestError(f'in {folder}, {"; ".join(problems)}')
    for problem in problems:
        report(f'in {folder}, {problem}')
    _count_loose(entries, tally, report)
    return classes


def _is_part(folder: Path) -> bool:
    """Return whether a folder is a split of a data set, with a folder for each class."""
    return folder.name.lower() in _PARTS and any(each.is_dir() for each in _entries(folder))


def _count_loose(entries: list[Path], tally: Tally, report: Callable[[str], object]) -> None:
    """Count and report the pictures next to the class folders, which are left out."""
    loose = [each for each in entries if each.suffix.lower() in _ENDINGS and not each.is_dir()]
    if loose:
        tally.found += len(loose)
        tally.left_out['beside the folders of classes'] = len(loose)
        report(
            f'{counted(len(loose), "picture", "pictures")} in {loose[0].parent} '
            f'({named([each.name for each in loose])}) are left out, as they are in no '
            f'sub-folder: {ONE_FOLDER_A_CLASS}'
        )


def labelled_pictures(
    folder: Path, classes: dict[str, list[Path]], source: PictureSource | None = None
) -> Iterator[RecordedPicture]:
    """
    Iterate over the pictures of :func:`class_folders`, class by class.

    Args:
        folder: the folder of the classes.
        classes: the files of each class.
        source: the options for decoding the pictures; None uses the defaults.
    """
    root = folder.resolve()
    for label, files in classes.items():
        for path in files:
            class_name, *below = path.relative_to(folder).parts
            yield RecordedPicture(
                str(path),
                functools.partial(_read, path, source),
                label,
                # Use the whole path, because folders of other days may have the same names.
                recording=str(root / class_name / below[0]),
                is_single=len(below) == 1,
            )


def files_of(
    paths: Iterable[Path], report: Callable[[str], object] = lambda _: None
) -> list[Path]:
    """
    Return the given files, and the files below the given folders.

    Args:
        paths: files and folders.
        report: called with a message for each folder that is left out.

    Raises:
        RequestError: if a path does not exist, or there are no files.
        RecordingError: if a folder cannot be read.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise RequestError(f'there is no {path}: give pictures, folders of them or a bag')
        files += _all_below(path, report) if path.is_dir() else [path]
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
    return (RecordedPicture(str(each), functools.partial(_read, each, source)) for each in files)


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


def _all_below(folder: Path, report: Callable[[str], object]) -> list[Path]:
    """Return the files in a folder and its sub-folders; skip linked folders, which may loop."""
    files = [entry for entry in _entries(folder) if not entry.is_dir()]
    for each in _entries(folder):
        if each.is_dir() and each.is_symlink():
            report(f'the folder {each} is left out: it is a link; copy what it leads to')
        elif each.is_dir():
            files += _all_below(each, report)
    return files


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
