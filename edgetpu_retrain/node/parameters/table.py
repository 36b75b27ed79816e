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

from edgetpu_retrain.node.cameras.image_transport import IMAGE_TRANSPORTS
from edgetpu_retrain.node.parameters.description import Parameter
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.pictures.sample_picture import STORE_IMAGES

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
