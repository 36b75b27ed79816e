# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Exports stored pictures to one folder per class, for `teach` and other tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.store.files.disk_errors import store_error
from edgetpu_retrain.store.samples.sample_store import SampleStore


@dataclass
class WrittenPictures:
    """
    The result of an export to picture folders.

    Args:
        written: number of written pictures per class.
        without_picture: number of samples without a stored picture.
    """

    written: Counter[str] = field(default_factory=Counter)
    without_picture: int = 0


def write_picture_folders(
    store: SampleStore, folder: Path, on_sample: Callable[[], object] = lambda: None
) -> WrittenPictures:
    """
    Write the stored picture of each sample to ``folder/<class>/<sample id>.jpg``.

    Args:
        store: the store of the samples.
        folder: created if needed; an existing folder must be empty.
        on_sample: called after each sample.

    Raises:
        RequestError: if ``folder`` is a file or not empty, or if no sample has a picture.
        StoreError: if the store cannot be read, a picture cannot be written, or a label cannot be
            a folder name.  Pictures that were already written stay.
    """
    done = WrittenPictures()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RequestError(f'{folder} is there already: give a folder that is new or empty')
        with store.snapshot() as snapshot:
            for sample, _ in snapshot.samples():
                picture = snapshot.picture(sample.sample_id)
                if picture is None:
                    done.without_picture += 1
                else:
                    path = folder / _folder_name(sample.label) / f'{sample.sample_id:08d}.jpg'
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with path.open('xb') as file:
                        file.write(picture.jpeg)
                    done.written[sample.label] += 1
                on_sample()
    except OSError as error:
        raise store_error('write the pictures to', folder, error) from error
    if not done.written:
        raise RequestError(
            'no sample has a stored picture, so there is nothing to write: teach without '
            '--store-images none (parameter store_images of the node), or export to a zip'
        )
    return done


def _folder_name(label: str) -> str:
    """Return a label as a folder name; raise StoreError if it is not a valid folder name."""
    try:
        return check_label(label, taught_before=True)
    except RequestError as error:
        raise StoreError(
            f'the store has a label that is no name of a folder: {error} Relabel it first.'
        ) from error
