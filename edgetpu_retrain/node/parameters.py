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
"""
The node's parameters: every name, default, range and meaning, in one table.

The table is plain data, so that a test can hold config/retrain.yaml and the launch file against
it; ``parameter_declaration`` makes ROS parameters of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import re
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.image_transport import IMAGE_TRANSPORTS

ParameterValue = str | int | float | list[str]

READ_AT_START = 'Read once at start: to change it, start the node again.'
TAKES_EFFECT_AT_ONCE = 'Takes effect at once.'

# A camera's name begins its parameters' names and will be part of topic names
# (https://design.ros2.org/articles/topic_and_service_names.html).
_CAMERA_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_]*')


@dataclass(frozen=True)
class Parameter:
    """
    One parameter.

    Args:
        name: as in a parameter file.
        default: its value when nobody sets it; tells the type, too.
        description: what it is for, with unit.
        allowed: smallest and largest value, None where there is no such thing.
        live: whether a change while the node runs takes effect.
    """

    name: str
    default: ParameterValue
    description: str
    allowed: tuple[float, float] | None = None
    live: bool = False


PARAMETERS = (
    Parameter('cameras', ['camera'], 'Names of the cameras; each has parameters of its own.'),
    Parameter(
        'extractor',
        '',
        "Path of the embedding extractor, a .tflite file; '' is the one that comes with the "
        'package.',
    ),
    Parameter(
        'device',
        'auto',
        "Where the extractor runs: 'auto', 'cpu', 'usb', 'usb:0', 'pci', 'pci:0' or ':0'.",
    ),
    Parameter('num_threads', 1, 'Threads of the CPU for inference.', (1, 64)),
    Parameter(
        'data_dir',
        '',
        "Folder of samples and models; '' is $ROS_HOME/edgetpu_retrain or ~/.ros/edgetpu_retrain.",
    ),
    Parameter(
        'num_iter',
        0,
        'SGD iterations where a goal says 0; 0 = as many as suit the samples.',
        (0, 1_000_000),
        live=True,
    ),
    Parameter(
        'learning_rate',
        0.0,
        'First step size where a goal says 0; 0 = what suits the samples.',
        (0.0, 1000.0),
        live=True,
    ),
    Parameter(
        'batch_size', 100, 'Samples per iteration where a goal says 0.', (1, 100_000), live=True
    ),
    Parameter(
        'reg',
        0.0,
        'Strength of the L2 regularization where a goal says 0; 0 = what suits the samples.',
        (0.0, 1e9),
        live=True,
    ),
    Parameter(
        'rejection_rate',
        0.05,
        'Share of known things above the threshold for unknown ones that the next trained model '
        'carries.',
        (0.0, 0.99),
        live=True,
    ),
    Parameter('seed', 0, 'Seed where a goal says -1.', (0, 2**63 - 1), live=True),
    Parameter(
        'sample_timeout_s',
        10.0,
        'How long a request waits for its frames where it says 0, in seconds.',
        (0.001, 86400.0),
        live=True,
    ),
    Parameter(
        'max_results',
        0,
        'How many classes a classification lists, best first; 0 = all.',
        (0, 100_000),
        live=True,
    ),
)


def camera_parameters(camera: str) -> tuple[Parameter, ...]:
    """Return the parameters of one camera."""
    return (
        Parameter(f'{camera}.image_topic', 'image', 'Topic of the images; relative, remappable.'),
        Parameter(
            f'{camera}.image_transport',
            'raw',
            "'raw' (sensor_msgs/Image), or 'compressed' (sensor_msgs/CompressedImage on the "
            "topic + '/compressed').",
        ),
    )


@dataclass(frozen=True)
class CameraParameters:
    """The parameters of one camera; fields as in :func:`camera_parameters`."""

    name: str
    image_topic: str
    image_transport: str


@dataclass(frozen=True)
class NodeParameters:
    """The values of all parameters at one moment; fields as in :data:`PARAMETERS`."""

    cameras: tuple[CameraParameters, ...]
    extractor: str
    device: str
    num_threads: int
    data_dir: str
    num_iter: int
    learning_rate: float
    batch_size: int
    reg: float
    rejection_rate: float
    seed: int
    sample_timeout_s: float
    max_results: int

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
    values = {each.name: value_of(each.name) for each in PARAMETERS}
    cameras = tuple(
        CameraParameters(
            camera, value_of(f'{camera}.image_topic'), value_of(f'{camera}.image_transport')
        )
        for camera in check_camera_names(values.pop('cameras'))
    )
    for camera in cameras:
        if camera.image_transport not in IMAGE_TRANSPORTS:
            raise RequestError(
                f'parameter {camera.name}.image_transport is {camera.image_transport!a}: set it '
                f'to {" or ".join(IMAGE_TRANSPORTS)}'
            )
    return NodeParameters(cameras=cameras, **values)


def check_camera_names(names: list[str]) -> list[str]:
    """
    Return the names of the cameras as they are, or refuse them.

    Raises:
        RequestError: when there is none, one is given twice or cannot be part of a topic's name.
    """
    if not names or list(names) == ['']:
        raise RequestError('parameter cameras is empty: name at least one camera')
    for name in names:
        if not _CAMERA_NAME.fullmatch(name):
            raise RequestError(
                f'parameter cameras has the name {name!a}: use letters, digits and underscores, '
                'beginning with a letter'
            )
    if len(set(names)) != len(names):
        raise RequestError(f'parameter cameras is {list(names)}: each name must be there once')
    return names
