# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Checks the requests of the services about samples; does not depend on ROS.

A request is any object with the fields of the service's request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.extractors.near_copies import min_novelty_of
from edgetpu_retrain.label import check_label
from edgetpu_retrain.node.cameras.message_header import stamp_ns
from edgetpu_retrain.pictures.compressed_image import check_compressed_image
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.store.samples.recording import check_recording
from edgetpu_retrain.wording import named, quoted

MAX_COUNT = 1000
"""Maximum number of samples in one request: half a minute at 30 Hz."""

MAX_SECONDS = 86400.0
"""Maximum of ``min_interval_s`` and ``timeout_s``: one day."""

MAX_NOVELTY = 2.0
"""The largest possible cosine distance."""

MAX_IDS = 10_000
"""Maximum number of ids in a request to relabel or remove; the transaction then takes 0.2 s."""

MAX_LISTED = 10_000
"""Maximum number of samples in a list; the response then has a size of one megabyte."""


@dataclass(frozen=True, eq=False)
class AddRequest:
    """
    A checked request of ``~/add_samples``.

    Args:
        label: class name.
        camera: name of a camera; '' = any camera.
        count: number of samples to store, at least 1.
        min_interval_s: minimum time between two frames, seconds.
        timeout_s: time limit of the request, seconds.
        region: the part of the image to embed; None = the whole picture of the request, or the
            camera's ``roi`` of each frame.
        min_novelty: minimum cosine distance to the newest samples of the class, 0 to 2; nearer
            frames are skipped.
        picture: bytes of a JPEG, PNG or WEBP file to embed instead of frames; b'' = none.
        stamp_ns: stamp of the picture, nanoseconds.
        recording: name of the recording; None = the camera's last recording, or a new recording;
            see :func:`~edgetpu_retrain.store.samples.recording.continues`.
    """

    label: str
    camera: str
    count: int
    min_interval_s: float
    timeout_s: float
    region: Region | None
    min_novelty: float
    picture: bytes
    stamp_ns: int
    recording: str | None = None


def add_request(
    request: Any, cameras: Sequence[str], parameters: Any, extractor: str
) -> AddRequest:
    """
    Check a request to add samples, and fill in the defaults.

    Args:
        request: an ``AddSample.Request``.
        cameras: names of the node's cameras.
        parameters: the node's parameters, of which ``sample_timeout_s`` and ``min_novelty``
            replace 0 in the request.
        extractor: identity of the extractor; determines the minimum novelty if ``min_novelty`` is
            0 in the request and in the parameters.

    Raises:
        RequestError: if a value is invalid or too large.
        ImageError: if the picture is invalid.
    """
    label = check_label(request.label)
    camera, count, min_novelty = request.camera, request.count, request.min_novelty
    if camera and camera not in cameras:
        raise RequestError(
            f'There is no camera {quoted(camera)}: name one of {named(cameras)}, or '
            'none for the next frame of any'
        )
    if count > MAX_COUNT:
        raise RequestError(f'count is {count}: ask for 1 to {MAX_COUNT} samples at a time')
    for name in ('min_interval_s', 'timeout_s'):
        # This rejects NaN, too: comparisons with NaN are false.
        if not 0.0 <= (seconds := getattr(request, name)) <= MAX_SECONDS:
            raise RequestError(f'{name} is {seconds}: use 0 to {MAX_SECONDS:.0f} seconds')
    region = Region.from_message(request.roi)
    if not min_novelty <= MAX_NOVELTY:
        raise RequestError(
            f'min_novelty is {min_novelty}: use a cosine distance up to {MAX_NOVELTY:.0f}, or a '
            'negative number to keep near copies'
        )
    if len(request.image.data):
        if count > 1:
            raise RequestError(
                f'count is {count}, but one picture came with the request: set count to 0 or 1'
            )
        check_compressed_image(request.image)
    return AddRequest(
        label=label,
        camera=camera,
        count=count or 1,
        min_interval_s=request.min_interval_s,
        timeout_s=request.timeout_s or parameters.sample_timeout_s,
        region=region,
        min_novelty=min_novelty_of(min_novelty or parameters.min_novelty, extractor),
        picture=bytes(request.image.data),
        stamp_ns=stamp_ns(request.image.header),
        recording=check_recording(request.recording) or None,
    )


def list_request(request: Any) -> tuple[str, int, int]:
    """
    Check a request to list samples.

    Args:
        request: a ``ListSamples.Request``.

    Returns:
        The label ('' = all), the maximum number of samples, and the upper limit of their ids
        (exclusive; 0 = no limit).

    Raises:
        RequestError: if the number exceeds :data:`MAX_LISTED`.
    """
    if request.limit > MAX_LISTED:
        raise RequestError(f'limit is {request.limit}: ask for 0 to {MAX_LISTED} samples')
    return request.label, request.limit, request.before


def remove_request(request: Any) -> tuple[int, ...]:
    """
    Check a request to remove samples; return the ids of single samples, () = none.

    Args:
        request: a ``RemoveSamples.Request``.

    Raises:
        RequestError: if there are more ids than :data:`MAX_IDS`, or ids together with a label or
            a number.
    """
    if len(request.ids) > MAX_IDS:
        raise RequestError(
            f'{len(request.ids)} ids are more than {MAX_IDS}: remove the samples in several '
            'requests'
        )
    if len(request.ids) and (request.label or request.n):
        raise RequestError(
            f'There are ids, and label is {quoted(request.label)} and n is {request.n}: give '
            'either ids, or a label or n'
        )
    return tuple(map(int, request.ids))


def relabel_request(request: Any) -> tuple[str, tuple[int, ...], str]:
    """
    Check a request to relabel samples.

    Args:
        request: a ``RelabelSamples.Request``.

    Returns:
        The label of the class to relabel, or ``''``; the ids of single samples, or (); and the new
        label.

    Raises:
        RequestError: if label and ids are both given or both missing, there are more ids than
            :data:`MAX_IDS`, or a label is invalid.
    """
    if len(request.ids) > MAX_IDS:
        raise RequestError(
            f'{len(request.ids)} ids are more than {MAX_IDS}: relabel the samples in several '
            'requests'
        )
    if bool(request.label) == bool(len(request.ids)):
        raise RequestError(
            'Give either the label of the class to relabel, or the ids of single samples '
            '(~/list_samples with a limit lists them), and not both'
        )
    if request.label:
        check_label(request.label, taught_before=True)
    return request.label, tuple(map(int, request.ids)), check_label(request.new_label)
