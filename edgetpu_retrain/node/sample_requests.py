# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""What a request for samples may ask for; the rules, without ROS."""

from __future__ import annotations

from collections.abc import Sequence

from edgetpu_retrain.errors import RequestError

MAX_COUNT = 1000
MAX_SECONDS = 86400.0
MAX_NOVELTY = 2.0


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
            f'There is no camera {camera!a}: name one of {", ".join(cameras)}, or none for the '
            'next frame of any'
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
