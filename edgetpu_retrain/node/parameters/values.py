# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The parameters of the node and of a camera: each is declared once, as a field here.

ROS parameters with descriptors (``declaration``), config/retrain.yaml and the table in
docs/interface.md are made from these fields; after a change, run
``python3 tools/parameter_documents.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import re
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.cameras.image_transport import IMAGE_TRANSPORTS
from edgetpu_retrain.node.parameters.description import Parameter, parameter, parameters_of
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.pictures.sample_picture import STORE_IMAGES
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
    """The values of one camera's parameters, checked and read."""

    name: str
    image_topic: str = parameter(
        'image',
        "Topic of the images; a relative name is in the node's namespace and can be remapped "
        "('--ros-args -r image:=/front/image_raw')",
    )
    image_transport: str = parameter(
        'raw',
        "'raw' (sensor_msgs/Image), or 'compressed' (sensor_msgs/CompressedImage, JPEG or PNG, on "
        "the resolved topic + '/compressed')",
        choices=tuple(IMAGE_TRANSPORTS),
    )
    device: str = parameter(
        '',
        "Which device runs this camera's frames, as 'device'; '' is that very one",
        see='[coral.md](coral.md)',
    )
    active: bool = parameter(True, 'Whether the node listens to this camera', live=True)
    roi: Region | None = parameter(  # noqa: RUF009 - what it returns is a field
        [0, 0, 0, 0],
        'The part of the image that is classified and taught: x, y, width and height (all zero = '
        'the whole image)',
        unit='pixels',
        live=True,
        read=Region.from_values,
    )
    detections_topic: str = parameter(
        '',
        'Topic of vision_msgs/Detection2DArray with the stamps of the images, whose boxes (in '
        "pixels of the whole image) are classified on ~/<camera>/detections; '' = none",
    )
    detections_timeout_s: float = parameter(
        0.5,
        'How long images and detections, at most 32 of each, wait for each other',
        allowed=(0.001, 60.0),
        unit='seconds',
        live=True,
    )
    max_detections: int = parameter(
        32,
        'How many boxes of an image are classified; those of the highest scores are',
        allowed=(1, 1000),
        live=True,
    )


@dataclass(frozen=True)
class NodeParameters:
    """The values of all parameters at one moment, checked and read."""

    autostart: bool = parameter(
        True,
        'Whether the node configures and activates itself; false waits for a lifecycle manager',
        see='[Lifecycle](#lifecycle)',
    )
    cameras: tuple[CameraParameters, ...] = parameter(
        ['camera'],
        'Names of the cameras, at most 32, of letters, digits and underscores; each has '
        'parameters of its own, under its name',
    )
    extractor: str = parameter(
        '',
        "Path of the embedding extractor, a .tflite file; '' is the one that comes with the "
        'package. Samples belong to the extractor that made them; those of another are kept, but '
        'not mixed in',
    )
    device: str = parameter(
        'auto',
        "Where the extractor runs: 'auto', 'cpu', 'usb', 'usb:0', 'pci', 'pci:0' or ':0'",
        see='[coral.md](coral.md)',
    )
    fallback_extractor: str = parameter(
        '',
        "Path of a compiled extractor's twin for the CPU, a .tflite file, which serves while the "
        "Edge TPU does not; samples stay valid; '' is none",
    )
    invoke_timeout_s: float = parameter(
        2.0,
        'How long a pass on an Edge TPU may take before it counts as failed',
        allowed=(0.01, 3600.0),
        unit='seconds',
    )
    num_threads: int = parameter(1, 'Threads of the CPU for inference', allowed=(1, 64))
    data_dir: str = parameter(
        '',
        "Folder of samples and models; '' is $ROS_HOME/edgetpu_retrain or ~/.ros/edgetpu_retrain",
    )
    num_iter: int = parameter(
        0,
        'SGD iterations where a goal says 0; 0 = as many as suit the samples',
        allowed=(0, 1_000_000),
        live=True,
    )
    learning_rate: float = parameter(
        0.0,
        'First step size where a goal says 0; 0.0 = what suits the samples',
        allowed=(0.0, 1000.0),
        live=True,
    )
    batch_size: int = parameter(
        100, 'Samples per iteration where a goal says 0', allowed=(1, 100_000), live=True
    )
    reg: float = parameter(
        0.0,
        'Strength of the L2 regularization of the weights where a goal says 0; 0.0 = what suits '
        'the samples',
        allowed=(0.0, 1e9),
        live=True,
    )
    rejection_rate: float = parameter(
        0.05,
        "Share of known things that the next trained model may call 'unknown'. Samples that are "
        'near copies of each other, as from a camera that stood still, get a wider threshold, and '
        'fewer known things are called so',
        allowed=(0.0, 0.99),
        live=True,
    )
    seed: int = parameter(
        0,
        'Seed of all randomness where a goal says -1. The same samples and seed give the same '
        'model on the same kind of processor',
        allowed=(0, 2**63 - 1),
        live=True,
    )
    sample_timeout_s: float = parameter(
        10.0,
        'How long ~/add_samples waits for its frames where the request says 0',
        allowed=(0.001, 86400.0),
        unit='seconds',
        live=True,
    )
    min_novelty: float = parameter(
        0.0,
        'Skip a sample that is nearer than this cosine distance to one of its class, where a '
        'request says 0; 0.0 skips none',
        allowed=(0.0, 2.0),
        live=True,
    )
    store_images: str = parameter(
        'none',
        "What is kept of a sample's picture: 'none', 'thumbnail' (at most 320 pixels wide and "
        "high) or 'full'; ~/reembed_samples needs it to embed the samples again with another "
        'extractor',
        choices=STORE_IMAGES,
        live=True,
    )
    keep_models: int = parameter(
        20,
        'How many model versions are kept; the one that serves always is, and so is the one '
        'chosen by the command line',
        allowed=(1, 1_000_000),
        live=True,
    )
    follow_models: bool = parameter(
        False,
        'Whether a model that another program (the command line) trains or chooses in data_dir '
        'is loaded as soon as it is noticed; else it waits for ~/load_model or the next start',
        live=True,
        see='[Beside a running node](command_line.md#beside-a-running-node)',
    )
    unknown_below: float = parameter(
        0.0,
        "A frame whose best class is less probable than this is 'unknown'; 0.0 leaves it to the "
        "model's own threshold",
        allowed=(0.0, 1.0),
        live=True,
    )
    smoothing_frames: int = parameter(
        1,
        "Over how many of a camera's last frames an answer is smoothed; 1 = not at all",
        allowed=(1, 1000),
        live=True,
    )
    smoothing_hysteresis: float = parameter(
        0.1,
        'By how much another class must lead before a smoothed answer changes to it',
        allowed=(0.0, 1.0),
        live=True,
    )
    max_results: int = parameter(
        0,
        'How many classes a classification lists, best first; 0 = all',
        allowed=(0, 100_000),
        live=True,
    )

    @property
    def device_of(self) -> dict[str, str]:
        """Camera name to the device that runs its frames."""
        return {camera.name: camera.device or self.device for camera in self.cameras}

    @property
    def camera_names(self) -> tuple[str, ...]:
        """Names of the cameras, in the order in which they were configured."""
        return tuple(camera.name for camera in self.cameras)


PARAMETERS = parameters_of(NodeParameters)
"""Those that do not depend on the names of cameras."""


def camera_parameters(camera: str) -> tuple[Parameter, ...]:
    """Return the parameters of one camera."""
    return parameters_of(CameraParameters, f'{camera}.')


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
