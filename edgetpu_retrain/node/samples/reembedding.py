# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Embeds samples of other extractors with the current extractor, from stored pictures."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future

from edgetpu_retrain.errors import ImageError, RequestError
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.pictures.lazy_picture import LazyPicture
from edgetpu_retrain.pictures.pixels import RgbArray
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.wording import counted


def reembed(
    store: SampleStore,
    description: ModelDescription,
    embed: Callable[[RgbArray], Future[RawArray]],
    should_stop: Callable[[], bool],
) -> str:
    """
    Embed samples of other extractors with the current extractor, if their pictures are stored.

    Args:
        store: the store of the samples.
        description: the current extractor's input and output.
        embed: returns a future of the embedding of a picture.
        should_stop: called before every picture; returns whether to stop.

    Returns:
        A sentence about what was done.

    Raises:
        RequestError: if no sample was embedded, ``should_stop`` returned true, or the node was
            deactivated; samples that are already embedded stay embedded.
        StoreError: if the store cannot be read or written.
        DeviceError: if the device fails.
    """
    extractor = description.identity
    missing = store.unembedded(extractor=extractor)
    if not missing.samples:
        raise RequestError(
            'All samples are of the extractor that is in use: there is nothing to do'
        )
    done = damaged = 0
    for picture in store.to_reembed(extractor):
        if should_stop():
            raise _stopped(done)
        try:
            rgb = LazyPicture.from_file(picture.jpeg).for_model(description.input_side)
            embedding = embed(rgb).result()
        except CancelledError as error:
            raise _stopped(done) from error
        except ImageError:
            damaged += 1
            continue
        done += store.add_embedding(
            picture.sample_id,
            embedding,
            extractor=extractor,
            quantization=description.quantization,
        )
    without = missing.samples - missing.with_image
    remarks = [
        f'{counted(count, "other has", "others have")} {what}'
        for count, what in (
            (without, 'no stored picture (parameter store_images)'),
            (damaged, 'a damaged one'),
        )
        if count
    ]
    message = f'{counted(done, "sample was", "samples were")} embedded again'
    if remarks:
        message += f'; {" and ".join(remarks)} and cannot be'
    if not done:
        raise RequestError(message)
    return message


def _stopped(done: int) -> RequestError:
    return RequestError(
        f'It was stopped after {counted(done, "sample", "samples")}, which stay: ask for the '
        'rest again'
    )
