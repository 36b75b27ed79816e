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
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.pictures.sample_picture import STORE_IMAGES
from edgetpu_retrain.wording import named, quoted

MAX_CAMERAS = 32
"""Each has topics, parameters and statistics of its own; a computer has no more USB ports."""

MAX_CAMERA_NAME_LENGTH = 50
"""Characters: it becomes part of names of topics, which may have 255."""

MAX_TEXT_LENGTH = 4096
"""Characters of a text: a path has no more (PATH_MAX)."""

ParameterValue = str | int | float | bool | list[str] | list[int]

READ_WHEN_CONFIGURED = (
    'Read when the node is configured, because models, files and topics are made from it: to '
    'change it, start the node again, or clean it up first (ros2 lifecycle set NODE deactivate, '
    'then cleanup).'
)
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
        choices: all values that it can have, () where any text will do.
        live: whether a change while the node runs takes effect.
        read: from its value to what it means, where the value itself is not that; raises
            RequestError when it is impossible.
    """

    name: str
    default: ParameterValue
    description: str
    allowed: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    live: bool = False
    read: Callable[[Any], Any] | None = None

    def check(self, value: Any) -> None:
        """
        Refuse a value that no range describes.

        Args:
            value: of the right type.

        Raises:
            RequestError: when it is none of the choices, or impossible.
        """
        if value is None:
            raise RequestError(f'parameter {self.name} has no value: give it one')
        if isinstance(value, str) and len(value) > MAX_TEXT_LENGTH:
            raise RequestError(
                f'parameter {self.name} is {quoted(value)}: use at most {MAX_TEXT_LENGTH} '
                'characters'
            )
        if self.read is not None:
            try:
                self.read(value)
            except RequestError as error:
                raise RequestError(f'parameter {self.name}: {error}') from error
        if self.choices and value not in self.choices:
            raise RequestError(
                f'parameter {self.name} is {quoted(value)}: set it to {" or ".join(self.choices)}'
            )


PARAMETERS = (
    Parameter(
        'autostart',
        True,
        'Whether the node configures and activates itself; false waits for a lifecycle manager.',
    ),
    Parameter(
        'cameras',
        ['camera'],
        'Names of the cameras, at most 32; each has parameters of its own.',
    ),
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
    Parameter(
        'fallback_extractor',
        '',
        "Path of the extractor's twin for the CPU, which serves while an Edge TPU does not; "
        "'' is none.",
    ),
    Parameter(
        'invoke_timeout_s',
        2.0,
        'How long a pass on an Edge TPU may take before it counts as failed, in seconds.',
        (0.01, 3600.0),
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
        "Share of known things that the next trained model may call 'unknown'; samples that are "
        'near copies of each other get a wider threshold, and fewer are called so.',
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
        'min_novelty',
        0.0,
        'Skip a sample that is nearer than this cosine distance to one of its class, where a '
        'request says 0; 0.0 skips none.',
        (0.0, 2.0),
        live=True,
    ),
    Parameter(
        'store_images',
        'none',
        "What is kept of a sample's picture: 'none', 'thumbnail' (at most 320 pixels wide and "
        "high) or 'full'; needed to embed the samples again with another extractor.",
        choices=STORE_IMAGES,
        live=True,
    ),
    Parameter(
        'keep_models',
        20,
        'How many model versions are kept; the one that serves always is.',
        (1, 1_000_000),
        live=True,
    ),
    Parameter(
        'follow_models',
        False,
        'Whether a model that another program (the command line) trains or chooses in data_dir '
        'is loaded as soon as it is noticed; else it waits for ~/load_model or the next start.',
        live=True,
    ),
    Parameter(
        'unknown_below',
        0.0,
        "A frame whose best class is less probable than this is 'unknown'; 0.0 leaves it to the "
        "model's own threshold.",
        (0.0, 1.0),
        live=True,
    ),
    Parameter(
        'smoothing_frames',
        1,
        "Over how many of a camera's last frames an answer is smoothed; 1 = not at all.",
        (1, 1000),
        live=True,
    ),
    Parameter(
        'smoothing_hysteresis',
        0.1,
        'By how much another class must lead before a smoothed answer changes to it.',
        (0.0, 1.0),
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
            choices=tuple(IMAGE_TRANSPORTS),
        ),
        Parameter(
            f'{camera}.device',
            '',
            "Which device runs this camera's frames, as 'device'; '' is that very one.",
        ),
        Parameter(
            f'{camera}.active',
            True,
            'Whether the node listens to this camera.',
            live=True,
        ),
        Parameter(
            f'{camera}.roi',
            [0, 0, 0, 0],
            'The part of the image that is classified and taught: x, y, width, height in pixels; '
            'all zero = the whole image.',
            live=True,
            read=Region.from_values,
        ),
        Parameter(
            f'{camera}.detections_topic',
            '',
            'Topic of vision_msgs/Detection2DArray with the stamps of the images, whose boxes '
            "(in pixels of the whole image) are classified on ~/<camera>/detections; '' = none.",
        ),
        Parameter(
            f'{camera}.detections_timeout_s',
            0.5,
            'How long images and detections wait for each other, in seconds; at most 32 of each '
            'are kept.',
            (0.001, 60.0),
            live=True,
        ),
        Parameter(
            f'{camera}.max_detections',
            32,
            'How many boxes of an image are classified; those of the highest scores are.',
            (1, 1000),
            live=True,
        ),
    )


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
