# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command teach: adds samples from a folder of pictures or a bag."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click
from edgetpu_retrain import teaching
from edgetpu_retrain.command_line import options, output
from edgetpu_retrain.command_line.sources import labelled_source, picture_source
from edgetpu_retrain.command_line.workspace import open_engine, open_samples
from edgetpu_retrain.errors import RecordingError, RequestError, StoreError
from edgetpu_retrain.extractors.near_copies import min_novelty_of
from edgetpu_retrain.recordings.image_bag import BagPart
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.wording import counted


@click.command()
@click.argument('source', type=options.PATH, metavar='FOLDER|BAG')
@options.bag_part
@options.bits
@click.option('--label', default='', help='For a bag: the label of its images.')
@click.option(
    '--recording',
    default='',
    metavar='NAME',
    help='The recording that all pictures belong to.  [default: the part of the bag; in a FOLDER '
    'each sub-folder of a class, and each other picture, with near copies that follow it]',
)
@options.min_novelty
@options.store_images
@options.extractor
@options.device
@options.data_dir_and_json
def teach(
    source: Path,
    part: BagPart,
    bits: int,
    label: str,
    recording: str,
    min_novelty: float,
    store_images: str,
    extractor: options.NamedModel,
    device: str,
    threads: int,
    data_dir: str,
) -> None:
    """
    Add a sample for each picture that is not a near copy of a sample of its class.

    FOLDER has one sub-folder per class; JPEG, PNG and WEBP files are read from the sub-folders and
    from the folders inside them.  BAG is a rosbag2 bag (mcap or sqlite3) whose images on --topic
    all show --label.  Pictures that cannot be read are reported and skipped.
    """
    taught = teaching.Taught()
    with (
        picture_source(bits) as reading,
        labelled_source(source, part, label, reading, for_teaching=True) as pictures,
        open_engine(extractor, device, threads, data_dir) as engine,
        open_samples(data_dir, create=True) as store,
    ):
        identity = engine.description.identity
        before = sum(store.counts(extractor=identity).values())
        try:
            with output.progress_bar('teaching', pictures.total) as step:
                teaching.teach(
                    pictures.pictures,
                    engine,
                    store,
                    taught=taught,
                    store_images=store_images,
                    min_novelty=min_novelty_of(min_novelty, identity),
                    recording=recording,
                    on_picture=step,
                )
        except BaseException:
            with suppress(StoreError):
                # Count in the store: Ctrl-C may have come before ``taught`` was updated.
                if stored := sum(store.counts(extractor=identity).values()) - before:
                    samples = counted(stored, 'sample is', 'samples are')
                    output.warn(f'stopped early; {samples} stored')
            raise
        finally:
            output.warn_unreadable(taught.unreadable)
        summary = pictures.summary(
            'stored',
            {
                'near duplicates': taught.skipped.total(),
                output.NOT_READABLE: len(taught.unreadable),
            },
        )
        _check(taught, source, summary)
        _warn_of_others(store, identity)
        counts = store.counts(extractor=identity)
    rows = [
        (each, taught.stored[each], taught.skipped[each], counts.get(each, 0))
        for each in pictures.labels
    ]
    result = {
        'stored': dict(taught.stored),
        'near_duplicates': dict(taught.skipped),
        'unreadable': [{'picture': name, 'reason': why} for name, why in taught.unreadable],
        'samples': counts,
        **pictures.tally.as_dict(),
    }
    output.emit(result, *output.table(('class', 'stored', 'near duplicates', 'now in all'), rows))
    output.say(summary)


def _check(taught: teaching.Taught, source: Path, summary: str) -> None:
    """Raise an error if the source has no pictures, or none of them could be read."""
    if not taught.seen:
        raise RequestError(
            f'the selection of {source} has no image ({summary}): select a larger part'
        )
    if len(taught.unreadable) == taught.seen:
        raise RecordingError(
            f'none of the {counted(taught.seen, "picture", "pictures")} in {source} could be '
            f'read; the first one: {taught.unreadable[0][1]}'
        )


def _warn_of_others(store: SampleStore, identity: str) -> None:
    others = store.unembedded(extractor=identity)
    if others.samples:
        output.warn(
            f'{counted(others.samples, "sample", "samples")} in {store.path} are of other '
            f'extractors and do not count together with those of {identity[:12]}'
        )
