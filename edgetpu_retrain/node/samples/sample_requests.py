# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
What the services that look after samples may be asked; the rules, without ROS.

A request is whatever has the fields of the service's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.node.cameras.message_header import stamp_ns
from edgetpu_retrain.pictures.compressed_image import check_compressed_image
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.wording import named, quoted

MAX_COUNT = 1000
"""Frames of one request: half a minute of a usual camera."""

MAX_SECONDS = 86400.0
"""A day: what waits longer was forgotten."""

MAX_NOVELTY = 2.0
"""The greatest cosine distance there is."""

MAX_IDS = 10_000
"""Samples that one request relabels, all in one transaction: a tenth of a second."""

MAX_LISTED = 10_000
"""Samples in one list: an answer of one megabyte."""


@dataclass(frozen=True, eq=False)
class AddRequest:
    """
    What ``~/add_samples`` is asked for, checked.

    Args:
        label: class name.
        camera: name of a camera, '' = any.
        count: frames to capture, at least 1.
        min_interval_s: least time between two frames, seconds.
        timeout_s: give up after so many seconds.
        region: the part to embed, None = all, or what the camera is used for.
        min_novelty: least cosine distance to the samples of the class.
        picture: a JPEG or PNG file to embed instead of frames, b'' = none.
        stamp_ns: of that picture, nanoseconds.
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


def add_request(request: Any, cameras: Sequence[str], parameters: Any) -> AddRequest:
    """
    Return what is to be added.

    Args:
        request: an ``AddSample.Request``.
        cameras: names of those that are served.
        parameters: ``sample_timeout_s`` and ``min_novelty`` where the request leaves them open.

    Raises:
        RequestError: when something about it is impossible or too much.
        ImageError: when it brings a picture that is none.
    """
    checked = AddRequest(
        label=check_label(request.label),
        camera=check_camera(request.camera, cameras),
        count=check_count(request.count),
        min_interval_s=check_seconds('min_interval_s', request.min_interval_s),
        timeout_s=check_seconds('timeout_s', request.timeout_s) or parameters.sample_timeout_s,
        region=Region.from_message(request.roi),
        min_novelty=check_novelty(request.min_novelty) or parameters.min_novelty,
        picture=b'',
        stamp_ns=stamp_ns(request.image.header),
    )
    if not len(request.image.data):
        return checked
    if checked.count > 1:
        raise RequestError(
            f'count is {checked.count}, but one picture came with the request: set count to 0 or 1'
        )
    check_compressed_image(request.image)
    return replace(checked, picture=bytes(request.image.data))


def list_request(request: Any) -> tuple[str, int]:
    """
    Return the label, '' = all, and how many single samples are to be listed.

    Args:
        request: a ``ListSamples.Request``.

    Raises:
        RequestError: when they are more than :data:`MAX_LISTED`.
    """
    if request.limit > MAX_LISTED:
        raise RequestError(f'limit is {request.limit}: ask for 0 to {MAX_LISTED} samples')
    return request.label, request.limit


def relabel_request(request: Any) -> tuple[str, tuple[int, ...], str]:
    """
    Return the label of a class or the ids of samples, and what they are to be called.

    Args:
        request: a ``RelabelSamples.Request``.

    Raises:
        RequestError: when both or neither are given, or one of them is refused.
    """
    if len(request.ids) > MAX_IDS:
        raise RequestError(
            f'{len(request.ids)} ids are more than {MAX_IDS}: relabel the samples in several '
            'requests'
        )
    if bool(request.label) == bool(len(request.ids)):
        raise RequestError(
            'Give either the label of the class to relabel, or the ids of single samples '
            '(~/list_samples with a limit tells them), and not both'
        )
    if request.label:
        check_label(request.label, taught_before=True)
    ids = tuple(map(int, request.ids))
    return request.label, ids, check_label(request.new_label)


def check_count(count: int) -> int:
    """
    Return how many frames to capture.

    Args:
        count: as in the request; 0 means 1.

    Raises:
        RequestError: when it is more than :data:`MAX_COUNT`.
    """
    if count > MAX_COUNT:
        raise RequestError(f'count is {count}: ask for 1 to {MAX_COUNT} frames at a time')
    return count or 1


def check_seconds(name: str, seconds: float) -> float:
    """
    Return a time span as it is, or refuse it.

    Args:
        name: of the request's field.
        seconds: its value.

    Raises:
        RequestError: when it is negative, longer than a day or no number.
    """
    # NaN is in no range.
    if not 0.0 <= seconds <= MAX_SECONDS:
        raise RequestError(f'{name} is {seconds}: use 0 to {MAX_SECONDS:.0f} seconds')
    return seconds


def check_camera(camera: str, cameras: Sequence[str]) -> str:
    """
    Return the name of a camera as it is, or refuse it.

    Args:
        camera: as in the request; '' = any.
        cameras: names of the configured ones.

    Raises:
        RequestError: when there is no such camera; the message names those there are.
    """
    if camera and camera not in cameras:
        raise RequestError(
            f'There is no camera {quoted(camera)}: name one of {named(cameras, len(cameras))}, or '
            'none for the next frame of any'
        )
    return camera


def check_novelty(min_novelty: float) -> float:
    """
    Return a cosine distance as it is, or refuse it.

    Raises:
        RequestError: when it is not from 0 to 2.
    """
    if not 0.0 <= min_novelty <= MAX_NOVELTY:
        raise RequestError(
            f'min_novelty is {min_novelty}: use a cosine distance from 0 to {MAX_NOVELTY:.0f}'
        )
    return min_novelty
