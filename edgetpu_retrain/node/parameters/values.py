# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The parameters of the node and of a camera: each is declared once, as a field in this module.

The ROS parameters (module ``declaration``), config/retrain.yaml and the table in docs/interface.md
are generated from these fields; after a change, run ``python3 tools/parameter_documents.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from edgetpu_retrain.label import BACKGROUND
from edgetpu_retrain.model_file.choices import ModelChoices, read_input_size
from edgetpu_retrain.model_file.normalization import Normalization, read_input_range
from edgetpu_retrain.node.cameras.image_transport import IMAGE_TRANSPORTS
from edgetpu_retrain.node.parameters.camera_names import check_camera_names
from edgetpu_retrain.parameter import (
    live_parameter,
    Parameter,
    parameter,
    parameters_of,
)
from edgetpu_retrain.pictures.picture_source import BITS
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.pictures.sample_picture import STORE_IMAGES
from edgetpu_retrain.runtime.interpreters.device import read_device
from edgetpu_retrain.store.questions.asking import MAX_QUESTIONS


@dataclass(frozen=True)
class CameraParameters:
    """The checked values of one camera's parameters."""

    name: str
    image_topic: str = parameter(
        'image',
        "Topic of the images; a relative name is in the node's namespace and can be remapped "
        "('--ros-args -r image:=/front/image_raw')",
        names_topic=True,
    )
    image_transport: str = parameter(
        'raw',
        "'raw' (sensor_msgs/Image), or 'compressed' (sensor_msgs/CompressedImage: JPEG, PNG or "
        "WEBP, on the resolved topic + '/compressed')",
        choices=tuple(IMAGE_TRANSPORTS),
    )
    device: str = parameter(
        '',
        "Device that runs this camera's frames; '' = 'device'",
        read=lambda name: read_device(name) if name else name,
        see='[coral.md](coral.md)',
    )
    active: bool = live_parameter(True, 'Whether the node subscribes to this camera')
    roi: Region | None = live_parameter(  # noqa: RUF009 - returns a field
        [0, 0, 0, 0],
        'The part of the image to classify and to sample (all 0 = the whole image): x, y, width '
        'and height',
        unit='pixels',
        read=Region.from_values,
    )
    bits: int = live_parameter(
        BITS[1],
        'Bits of a value in images and PNG files of 16 bits, whose range becomes 0 to 255: 10 or '
        '12 for many cameras',
        BITS,
        see='[Image encodings](#image-encodings)',
    )
    detections_topic: str = parameter(
        '',
        'Topic of vision_msgs/Detection2DArray with the stamps of the images, whose boxes (in '
        "pixels of the whole image) are classified on ~/<camera>/detections; '' = none",
        names_topic=True,
    )
    detections_timeout_s: float = live_parameter(
        0.5, 'How long images and detections wait for each other', (0.001, 60.0), unit='seconds'
    )
    max_detections: int = live_parameter(
        32, 'Number of boxes of an image to classify, those with the highest scores', (1, 1000)
    )


@dataclass(frozen=True)
class NodeParameters:
    """The checked values of all parameters."""

    autostart: bool = parameter(
        True,
        'Whether the node configures and activates itself; false = wait for a lifecycle manager',
        see='[Lifecycle](#lifecycle)',
    )
    cameras: tuple[CameraParameters, ...] = parameter(
        ['camera'],
        'Names of the cameras, at most 32, of letters, digits and underscores; each has its own '
        'parameters, under its name',
    )
    extractor: str = parameter(
        '',
        "Path of a .tflite file, an embedding extractor or an image classifier; '' = the one in "
        'the package. Samples belong to the extractor that embedded them; those of others are '
        'kept but not used',
        see='[extractors.md](extractors.md)',
    )
    input_range: Normalization | None = parameter(  # noqa: RUF009 - returns a field
        '',
        "How a float extractor was trained: '0..255', '0..1', '-1..1', or 'MEAN/STD' of the "
        "pixels, such as '127.5/127.5'; '' = as its metadata states. Samples belong to the range "
        'they were made with',
        read=read_input_range,
    )
    input_size: tuple[int, int] | None = parameter(
        '',
        "Width and height of the pictures of an extractor that takes any size, such as '224x224'; "
        "'' = as its metadata states",
        read=read_input_size,
    )
    model_output: str = parameter(
        '', "Name or number of the extractor's output to use, if it has several; '' = the only one"
    )
    device: str = parameter(
        'auto',
        "Where the extractor runs: 'auto', 'cpu', 'usb', 'usb:0', 'pci', 'pci:0' or ':0'",
        read=read_device,
        see='[coral.md](coral.md)',
    )
    fallback_extractor: str = parameter(
        '',
        "Path of a compiled extractor's CPU twin, a .tflite file, which serves while the Edge TPU "
        "does not; samples stay valid; '' = none",
    )
    invoke_timeout_s: float = parameter(
        2.0, 'Time limit of one inference on an Edge TPU', (0.01, 3600.0), unit='seconds'
    )
    num_threads: int = parameter(1, 'Threads of the CPU for inference', (1, 64))
    data_dir: str = parameter(
        '',
        "Folder of samples and models; '' = $ROS_HOME/edgetpu_retrain or ~/.ros/edgetpu_retrain, "
        'and in there a folder of its own, such as robot1/edgetpu_retrain, for a node with a '
        'namespace or another name',
    )
    num_iter: int = live_parameter(
        0, 'SGD iterations if a goal has 0; 0 = chosen to suit the samples', (0, 1_000_000)
    )
    learning_rate: float = live_parameter(
        0.0, 'First step size if a goal has 0; 0.0 = chosen to suit the samples', (0.0, 1000.0)
    )
    batch_size: int = live_parameter(100, 'Samples per iteration if a goal has 0', (1, 100_000))
    reg: float = live_parameter(
        0.0,
        'L2 regularization of the weights if a goal has 0; 0.0 = chosen to suit the samples',
        (0.0, 1e9),
    )
    rejection_rate: float = live_parameter(
        0.05,
        "Share of known things that the next trained model may classify as 'unknown'. If samples "
        'are near copies of each other, as from a camera that stood still, the threshold is wider '
        'and the share smaller',
        (0.0, 0.99),
    )
    seed: int = live_parameter(
        0,
        'Random seed if a goal has -1. The same samples and seed give the same model on the same '
        'kind of processor',
        (0, 2**63 - 1),
    )
    sample_timeout_s: float = live_parameter(
        10.0, 'Time limit of ~/add_samples if the request has 0', (0.001, 86400.0), unit='seconds'
    )
    min_novelty: float = live_parameter(
        0.0,
        'Skip frames nearer than this cosine distance to one of the newest 4096 samples of their '
        'class, if a request has 0; 0.0 = suits the extractor, 0.03 for the one in the package; '
        'negative = skip none',
        (-1.0, 2.0),
        see='[Near copies](samples_and_models.md#near-copies)',
    )
    store_images: str = live_parameter(
        'thumbnail',
        "Pictures to store with samples: 'none', 'thumbnail' (at most 320 pixels wide and high, "
        "about 20 kB) or 'full'; the report shows them, and ~/reembed_samples needs them to embed "
        'the samples with another extractor',
        choices=STORE_IMAGES,
    )
    max_questions: int = live_parameter(
        0,
        'Number of frames to keep that the model is unsure about, with thumbnails, for a person '
        'to label; 0 = none',
        (0, MAX_QUESTIONS),
        see='[Questions](samples_and_models.md#questions)',
    )
    keep_models: int = live_parameter(
        20,
        'Number of model versions to keep; the serving one and the one chosen by the command line '
        'are always kept',
        (1, 1_000_000),
    )
    follow_models: bool = live_parameter(
        False,
        'Whether to load a model that another program (the command line) trains or chooses in '
        'data_dir; false = wait for ~/load_model or the next start',
        see='[Beside a running node](command_line.md#beside-a-running-node)',
    )
    unknown_below: float = live_parameter(
        0.0,
        "A frame whose best class has a lower score is 'unknown'; 0.0 = use the model's threshold",
        (0.0, 1.0),
    )
    background_label: str = live_parameter(
        BACKGROUND,
        'Name of the class that is published as unknown: teach it what the camera sees without '
        "any object, such as the empty table; '' = none",
    )
    smoothing_frames: int = live_parameter(
        1, "Number of a camera's last frames to smooth over; 1 = no smoothing", (1, 1000)
    )
    smoothing_hysteresis: float = live_parameter(
        0.1, 'Lead that another class needs to change a smoothed classification', (0.0, 1.0)
    )
    max_results: int = live_parameter(
        0, 'Number of classes in a classification, best first; 0 = all', (0, 100_000)
    )

    @property
    def model_choices(self) -> ModelChoices:
        """The parameters that determine how the extractor's file is read."""
        return ModelChoices(self.input_range, self.input_size, self.model_output)

    @property
    def device_of(self) -> dict[str, str]:
        """The device that processes each camera's frames, by camera name."""
        return {camera.name: camera.device or self.device for camera in self.cameras}

    @property
    def camera_names(self) -> tuple[str, ...]:
        """The names of the cameras, in the order of the parameter ``cameras``."""
        return tuple(camera.name for camera in self.cameras)


PARAMETERS = parameters_of(NodeParameters)
"""The parameters that do not belong to a camera."""


def camera_parameters(camera: str) -> tuple[Parameter, ...]:
    """Return the parameters of a camera; the camera's name is the prefix of their names."""
    return parameters_of(CameraParameters, f'{camera}.')


def collect_parameters(value_of: Callable[[str], Any]) -> NodeParameters:
    """
    Check the values of all parameters, and return them.

    Args:
        value_of: called with the name of a parameter; returns the value, of the default's type.

    Raises:
        RequestError: if a value is invalid.
    """

    def values(parameters: Iterable[Parameter]) -> dict[str, Any]:
        return {
            each.name.rpartition('.')[2]: each.check(value_of(each.name)) for each in parameters
        }

    node = values(PARAMETERS)
    cameras = tuple(
        CameraParameters(name, **values(camera_parameters(name)))
        for name in check_camera_names(node.pop('cameras'))
    )
    return NodeParameters(cameras=cameras, **node)
