# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Opens the pictures that the user names: a folder of classes, picture files, or a bag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from edgetpu_retrain.command_line.output import warn
from edgetpu_retrain.label import check_label
from edgetpu_retrain.pictures.picture_source import PictureSource
from edgetpu_retrain.recordings import picture_folder
from edgetpu_retrain.recordings.bag_files import is_bag
from edgetpu_retrain.recordings.image_bag import BagPart, ImageBag
from edgetpu_retrain.recordings.recorded_picture import RecordedPicture
from edgetpu_retrain.recordings.tally import Tally

_A_BAG = 'a folder that has metadata.yaml or .mcap or .db3 files, or such a file'


@dataclass(frozen=True)
class Source:
    """
    Pictures to iterate over once.

    Args:
        pictures: yields the pictures one at a time.
        total: number of pictures; None if it is not known in advance.
        tally: numbers of pictures found and left out; complete after iterating.
        labels: the labels of the pictures, without repeats; () for pictures without labels.
        loss: message about the lost end of a bag, for example after a power loss; '' if the bag
            is complete.
    """

    pictures: Iterator[RecordedPicture]
    total: int | None
    tally: Tally
    labels: tuple[str, ...] = ()
    loss: str = ''

    def summary(self, done: str, left_out: Mapping[str, int]) -> str:
        """
        Return the last line that a command prints: pictures found, used and left out.

        Args:
            done: what happened to the used pictures, such as 'classified'.
            left_out: number of further pictures that were left out, by reason; this method adds
                them to ``tally``.
        """
        self.tally.left_out.update(left_out)
        return '; '.join(filter(None, [self.tally.line(done), self.loss]))


@contextmanager
def picture_source(bits: int) -> Iterator[PictureSource]:
    """
    Yield the options for decoding pictures; print the warnings about the pictures at the end.

    Args:
        bits: number of significant bits in the values of 16-bit pictures.
    """
    remarks: list[str] = []
    source = PictureSource(remarks.append, bits, '--bits')
    try:
        yield source
    finally:
        source.end()
        for remark in remarks:
            warn(remark)


@contextmanager
def labelled_source(
    path: Path, part: BagPart, label: str, source: PictureSource, *, for_teaching: bool
) -> Iterator[Source]:
    """
    Open labelled pictures, which must be read inside the ``with`` block.

    Args:
        path: a folder with one sub-folder per class, or a bag.
        part: selects images of a bag.
        label: label of all images of a bag; '' for a folder.
        source: the options for decoding the pictures.
        for_teaching: whether a class that cannot be taught, such as 'unknown', is invalid: as the
            label of a bag it is rejected, and as a sub-folder it is left out with a warning.

    Raises:
        click.UsageError: if an option is missing or does not match the kind of source.
        RequestError: if there are no such pictures, or a label is invalid.
        RecordingError: if the folder or the bag cannot be read.
    """
    if is_bag(path):
        if part.topic and not label:
            raise click.UsageError(f'{path} is a bag: give the label of its images with --label.')
        checked = check_label(label, taught_before=not for_teaching) if label else ''
        with ImageBag(path, part, checked, source) as bag:
            yield _bag_source(bag, part, (label,))
        return
    if label:
        raise click.UsageError(
            f'--label is for a bag ({_A_BAG}), and {path} is none. For a folder of pictures, '
            f'{picture_folder.ONE_FOLDER_A_CLASS}, and leave --label out: here, {path / label}.'
        )
    _check_no_bag(path, part)
    tally = Tally()
    classes = picture_folder.class_folders(
        path, for_teaching=for_teaching, tally=tally, report=warn
    )
    files = picture_folder.labelled_pictures(path, classes, source)
    yield Source(files, tally.used, tally, labels=tuple(classes))


@contextmanager
def plain_source(paths: Sequence[Path], part: BagPart, source: PictureSource) -> Iterator[Source]:
    """
    Open pictures without labels, which must be read inside the ``with`` block.

    Args:
        paths: one bag, or picture files and folders.
        part: selects images of a bag.
        source: the options for decoding the pictures.

    Raises:
        click.UsageError: if the options do not match the kind of source.
        RequestError: if there are no such pictures.
        RecordingError: if a folder or the bag cannot be read.
    """
    bags = [path for path in paths if is_bag(path)]
    if bags:
        if len(paths) > 1:
            raise click.UsageError(f'{bags[0]} is a bag: give one bag, and no other files.')
        with ImageBag(bags[0], part, source=source) as bag:
            yield _bag_source(bag, part)
        return
    _check_no_bag(paths[0], part)
    tally = Tally()
    files = picture_folder.files_of(paths, tally=tally, report=warn)
    yield Source(picture_folder.plain_pictures(files, source), len(files), tally)


def _check_no_bag(path: Path, part: BagPart) -> None:
    if part != BagPart(''):
        raise click.UsageError(
            f'--topic, --from, --to and --every are for a bag, and {path} is none: a bag is '
            f'{_A_BAG}.'
        )


def _bag_source(bag: ImageBag, part: BagPart, labels: tuple[str, ...] = ()) -> Source:
    for note in bag.notes:
        warn(note)
    total = len(bag) if part == BagPart(part.topic) else None
    return Source(iter(bag), total, bag.tally, labels, bag.loss)
