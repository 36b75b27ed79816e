# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Reads folders of pictures, one sub-folder per class, as in Coral's examples and most tools.

All pictures below the folder of a class belong to the class, as in torchvision's ImageFolder.
Each direct sub-folder of a class is one recording; for the pictures beside these sub-folders, see
``is_single`` in recorded_picture.py.

A file is a picture if it has the ending or the first bytes of a picture format.  Other files, such
as labels and thumbnail databases, are only counted.  Hidden files and folders are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
import functools
from pathlib import Path
import re

from edgetpu_retrain.errors import ImageError, RecordingError, RequestError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.pictures.compressed_image import BEGIN_BYTES, begins_as_picture
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture
from edgetpu_retrain.recordings.tally import Tally
from edgetpu_retrain.wording import counted, named, quoted

MAX_FILE_BYTES = 256 * 1024 * 1024
"""Maximum size of a file, bytes: the largest pictures, 64 megapixels, are 192 MB of 8-bit RGB."""

# The endings of picture files.  Formats that are not supported are included, so that their files
# are reported as pictures that cannot be read.
_ENDING = re.compile(
    r'\.(jpe?g?|jfif|mpo|a?png|webp|bmp|gif|tiff?|avif|hei[cf]|jxl|jp2|j2k|psd|tga|p[bgpn]m|exr|'
    r'hdr|dng|cr[23]|nef|arw|raw)',
    re.IGNORECASE,
)

# Folders that operating systems, network drives and programs create, in lower case.
_FOLDERS_OF_PROGRAMS = frozenset(
    [
        *('@eadir', '#recycle', '@recycle', '$recycle.bin', 'system volume information'),
        *('lost+found', '__macosx', '__pycache__'),
    ]
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
    Return the classes in a folder, and the pictures of each.

    Args:
        folder: has one sub-folder per class.
        for_teaching: whether to leave out classes that cannot be taught, such as 'unknown'.
        tally: receives the numbers of pictures found and left out, and of other files.
        report: called with a message for each problem, such as a folder that is left out.

    Returns:
        The paths of the pictures, by class name; classes without pictures are left out.

    Raises:
        RequestError: if there is no such folder, if it has no valid class with pictures, or if it
            is a data set with splits such as train and val.
        RecordingError: if a folder cannot be read.
    """
    tally = Tally() if tally is None else tally
    folders, files = _split(folder, tally)
    if not folders:
        found = f'{counted(len(files), "file", "files")} but no sub-folders'
        raise RequestError(
            f'{folder} has {found if files else "nothing in it"}: {ONE_FOLDER_A_CLASS}'
        )
    if all(map(_is_part, folders)):
        raise RequestError(
            f'{folder} is a data set in parts ({named([each.name for each in folders])}), each '
            f'with folders of classes: give one of them, such as {folders[0]}'
        )
    classes: dict[str, list[Path]] = {}
    problems = []
    for each in folders:
        if _is_around(each, folder):
            problems.append(f'{quoted(each.name)} is left out: it is a link to a folder around it')
            continue
        pictures = _all_below(each, report, tally)
        tally.found += len(pictures)
        label = each.name.strip()
        try:
            check_label(label, taught_before=not for_teaching)
        except RequestError as error:
            problems.append(f'{quoted(each.name)} is left out: {error}')
            tally.left_out['in folders that cannot be classes'] += len(pictures)
            continue
        if not pictures:
            problems.append(f'{quoted(each.name)} is left out: it has no pictures')
            continue
        if label != each.name:
            problems.append(f'{quoted(each.name)} is class {quoted(label)}')
        classes.setdefault(label, []).extend(pictures)
    if not tally.found:
        raise RequestError(
            f'{folder} has sub-folders ({named([each.name for each in folders])}), but no '
            f'pictures in them{tally.others and f" ({tally.others})"}: {ONE_FOLDER_A_CLASS}'
        )
    if not classes:
        raise RequestError(f'in {folder}, {"; ".join(problems)}')
    for problem in problems:
        report(f'in {folder}, {problem}')
    _count_loose(_pictures_of(files, tally), tally, report)
    return classes


def _is_part(folder: Path) -> bool:
    """Return whether a folder is named like a split of a data set, and has sub-folders."""
    return folder.name.lower() in _PARTS and bool(_split(folder, Tally())[0])


def _is_around(folder: Path, inner: Path) -> bool:
    """Return whether a folder is a link to ``inner``, or to a folder that contains ``inner``."""
    return folder.is_symlink() and inner.resolve().is_relative_to(folder.resolve())


def _count_loose(loose: list[Path], tally: Tally, report: Callable[[str], object]) -> None:
    """Count and report the pictures next to the class folders."""
    if loose:
        tally.found += len(loose)
        tally.left_out['beside the folders of classes'] = len(loose)
        report(
            f'{counted(len(loose), "picture is", "pictures are")} left out, beside the folders '
            f'of {loose[0].parent} ({named([each.name for each in loose])}): {ONE_FOLDER_A_CLASS}'
        )


def labelled_pictures(
    folder: Path, classes: dict[str, list[Path]], source: PictureSource | None = None
) -> Iterator[RecordedPicture]:
    """
    Iterate over the pictures of :func:`class_folders`, class by class.

    Args:
        folder: the folder of the classes.
        classes: the return value of :func:`class_folders`.
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
                # Use the absolute path: sub-folders of two data sets may have the same name.
                recording=str(root / class_name / below[0]),
                is_single=len(below) == 1,
            )


def files_of(
    paths: Iterable[Path],
    *,
    tally: Tally | None = None,
    report: Callable[[str], object] = lambda _: None,
) -> list[Path]:
    """
    Return the given files, and all pictures below the given folders.

    Args:
        paths: files and folders.
        tally: receives the number of pictures found, and of other files.
        report: called with a message for each folder that is left out.

    Raises:
        RequestError: if a path does not exist, or there are no pictures.
        RecordingError: if a folder cannot be read.
    """
    tally = Tally() if tally is None else tally
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise RequestError(f'there is no {path}: give pictures, folders of them or a bag')
        files += _all_below(path, report, tally) if path.is_dir() else [path]
    if not files:
        raise RequestError(
            f'there are no pictures in {", ".join(map(str, paths))}'
            f'{tally.others and f" ({tally.others})"}: give pictures, folders of them or a bag'
        )
    tally.found += len(files)
    return files


def plain_pictures(
    files: Iterable[Path], source: PictureSource | None = None
) -> Iterator[RecordedPicture]:
    """
    Iterate over the pictures of :func:`files_of`, which have no labels.

    Args:
        files: paths of the pictures.
        source: the options for decoding the pictures; None uses the defaults.
    """
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


def _all_below(folder: Path, report: Callable[[str], object], tally: Tally) -> list[Path]:
    """Return the pictures below a folder; skip links to folders, which may form a loop."""
    folders, files = _split(folder, tally)
    pictures = _pictures_of(files, tally)
    for each in folders:
        if each.is_symlink():
            report(f'the folder {each} is left out: it is a link; copy what it leads to')
        else:
            pictures += _all_below(each, report, tally)
    return pictures


def _pictures_of(files: list[Path], tally: Tally) -> list[Path]:
    """Return the files that are pictures, and count the others."""
    pictures = [each for each in files if _is_picture(each)]
    others = set(files).difference(pictures)
    tally.other_files.update(each.suffix.lower() or each.name for each in others)
    return pictures


def _is_picture(file: Path) -> bool:
    """Return whether a file is a picture according to its ending or its first bytes."""
    if _ENDING.fullmatch(file.suffix):
        return True
    try:
        # Opening a pipe would block.
        if not file.is_file():
            return False
        with file.open('rb') as opened:
            return begins_as_picture(opened.read(BEGIN_BYTES))
    except OSError:
        # Treat the file as a picture, so that reading it later reports the reason.
        return True


def _split(folder: Path, tally: Tally) -> tuple[list[Path], list[Path]]:
    """
    Return the folders and files in a folder, sorted by name.

    Hidden files and folders are ignored.  Folders that other programs create, such as
    ``__MACOSX``, are counted but not returned.
    """
    try:
        entries = sorted(each for each in folder.iterdir() if not each.name.startswith('.'))
        folders = [each for each in entries if each.is_dir()]
    except FileNotFoundError as error:
        raise RequestError(f'there is no folder {folder}: check the path') from error
    except NotADirectoryError as error:
        raise RequestError(
            f'{folder} is a file (unpack a zip first): {ONE_FOLDER_A_CLASS}'
        ) from error
    except OSError as error:
        raise RecordingError(
            f'the folder {folder} cannot be read ({error.strerror or error}): check the path and '
            'its permissions'
        ) from error
    of_programs = [each for each in folders if each.name.lower() in _FOLDERS_OF_PROGRAMS]
    tally.other_files.update(f'{each.name}/' for each in of_programs)
    files = set(entries).difference(folders)
    return sorted(set(folders).difference(of_programs)), sorted(files)
