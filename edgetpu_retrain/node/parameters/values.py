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
"""The values of all parameters at one moment, checked and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import re
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.parameters.description import Parameter
from edgetpu_retrain.node.parameters.table import camera_parameters, PARAMETERS
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.wording import named, quoted

MAX_CAMERAS = 32
"""Each has topics, parameters and statistics of its own; a computer has no more USB ports."""

MAX_CAMERA_NAME_LENGTH = 50
"""Characters: it becomes part of names of topics, which may have 255."""

# A camera's name begins its parameters' names and will be part of topic names
# (https://design.ros2.org/articles/topic_and_service_names.html).
_CAMERA_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_]*')


@dataclass(frozen=True)
class CameraParameters:
    """The parameters of one camera; fields as in :func:`camera_parameters`."""

    name: str
    image_topic: str
    image_transport: str
    device: str
    active: bool
    roi: Region | None
    detections_topic: str
    detections_timeout_s: float
    max_detections: int


@dataclass(frozen=True)
class NodeParameters:
    """The values of all parameters at one moment; fields as in :data:`PARAMETERS`."""

    autostart: bool
    cameras: tuple[CameraParameters, ...]
    extractor: str
    device: str
    fallback_extractor: str
    invoke_timeout_s: float
    num_threads: int
    data_dir: str
    num_iter: int
    learning_rate: float
    batch_size: int
    reg: float
    rejection_rate: float
    seed: int
    sample_timeout_s: float
    min_novelty: float
    store_images: str
    keep_models: int
    follow_models: bool
    unknown_below: float
    smoothing_frames: int
    smoothing_hysteresis: float
    max_results: int

    @property
    def device_of(self) -> dict[str, str]:
        """Camera name to the device that runs its frames."""
        return {camera.name: camera.device or self.device for camera in self.cameras}

    @property
    def camera_names(self) -> tuple[str, ...]:
        """Names of the cameras, in the order in which they were configured."""
        return tuple(camera.name for camera in self.cameras)


def collect_parameters(value_of: Callable[[str], Any]) -> NodeParameters:
    """
    Return all values as one.

    Args:
        value_of: from a parameter's name to its value, of the type of its default.

    Raises:
        RequestError: when a value that no range describes is impossible.
    """
    values = {each.name: _checked(each, value_of) for each in PARAMETERS}
    cameras = tuple(
        CameraParameters(
            camera,
            **{
                each.name.removeprefix(f'{camera}.'): _checked(each, value_of)
                for each in camera_parameters(camera)
            },
        )
        for camera in check_camera_names(values.pop('cameras'))
    )
    return NodeParameters(cameras=cameras, **values)


def _checked(parameter: Parameter, value_of: Callable[[str], Any]) -> Any:
    value = value_of(parameter.name)
    parameter.check(value)
    return value if parameter.read is None else parameter.read(value)


def check_camera_names(names: list[str]) -> list[str]:
    """
    Return the names of the cameras as they are, or refuse them.

    Raises:
        RequestError: when there is none, one is given twice or cannot be part of a topic's name.
    """
    if not names or list(names) == ['']:
        raise RequestError('parameter cameras is empty: name at least one camera')
    if len(names) > MAX_CAMERAS:
        raise RequestError(f'parameter cameras has {len(names)} names: use at most {MAX_CAMERAS}')
    for name in names:
        if len(name) > MAX_CAMERA_NAME_LENGTH:
            raise RequestError(
                f'parameter cameras has the name {quoted(name)}: use at most '
                f'{MAX_CAMERA_NAME_LENGTH} characters'
            )
        if not _CAMERA_NAME.fullmatch(name):
            raise RequestError(
                f'parameter cameras has the name {quoted(name)}: use letters, digits and '
                'underscores, beginning with a letter'
            )
    if len(set(names)) != len(names):
        raise RequestError(
            f'parameter cameras is {named(names, len(names))}: each name must be there once'
        )
    return names
