# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import functools
import math
from pathlib import Path
import re
from typing import Any, cast, TypeVar

import click
from edgetpu_retrain.command_line.output import AS_JSON
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.label import BACKGROUND
from edgetpu_retrain.model_file.choices import ModelChoices, read_input_size
from edgetpu_retrain.model_file.normalization import read_input_range
from edgetpu_retrain.pictures.picture_source import BITS
from edgetpu_retrain.pictures.sample_picture import STORE_IMAGES
from edgetpu_retrain.recordings.image_bag import BagPart
from edgetpu_retrain.runtime.interpreters.device import read_device
from edgetpu_retrain.store.files.data_folder import default_folder
from edgetpu_retrain.wording import quoted, sentence

Command = TypeVar('Command', bound=Callable[..., Any])

PATH = click.Path(path_type=Path)

# The rules for names of nodes: https://design.ros2.org/articles/topic_and_service_names.html
_FULL_NODE_NAME = re.compile(r'(/[A-Za-z_][A-Za-z0-9_]*)+')

as_json = click.option(
    '--json',
    is_flag=True,
    expose_value=False,
    callback=lambda context, _, value: context.meta.update({AS_JSON: value}),
    help='Print one JSON object, for scripts.',
)


@dataclass(frozen=True)
class NamedModel:
    """
    The model that a user names.

    Args:
        name: path of a .tflite file, or a version number as text; '' = the default.
        choices: the input range, input size and output that the user chose for the file.
    """

    name: str
    choices: ModelChoices


def _model_option(name: str, option: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """
    Return a decorator that adds an option for a model, and the options for its input and output.

    The command receives the values of these options as one :class:`NamedModel`.

    Args:
        name: name of the command's parameter that receives the :class:`NamedModel`.
        option: decorator that adds the option, or the positional argument, for the model itself.
    """

    def add(command: Command) -> Command:
        @option
        @click.option(
            '--input-range',
            default='',
            metavar='RANGE',
            help='How a float model was trained: 0..255, 0..1, -1..1, or MEAN/STD of the pixels, '
            'such as 127.5/127.5.  [default: as its metadata states]',
        )
        @click.option(
            '--input-size',
            default='',
            metavar='WIDTHxHEIGHT',
            help='Size of the pictures of a model that takes any.  [default: as its metadata '
            'states]',
        )
        @click.option(
            '--model-output',
            default='',
            metavar='NAME',
            help='Name or number of the output to use, if the model has several.',
        )
        @functools.wraps(command)
        def with_choices(
            input_range: str, input_size: str, model_output: str, **others: Any
        ) -> object:
            choices = ModelChoices(
                read_input_range(input_range), read_input_size(input_size), model_output
            )
            others[name] = NamedModel(others[name], choices)
            return command(**others)

        return cast(Command, with_choices)

    return add


extractor = _model_option(
    'extractor',
    click.option(
        '--extractor',
        default='',
        metavar='FILE',
        help="Embedding extractor, or a classifier to cut, the node's parameter of that name.  "
        '[default: the one in the package]',
    ),
)

model = _model_option(
    'model',
    click.option(
        '--model',
        default='',
        metavar='VERSION|FILE',
        help='A version number, or any .tflite classifier.  [default: the serving version]',
    ),
)

model_file = _model_option('model_file', click.argument('model_file', metavar='MODEL.tflite'))

label_file = click.option(
    '--labels',
    'label_file',
    type=PATH,
    help="Class names of the model, one a line, as in Coral's labels.txt.  "
    '[default: those inside the model]',
)

background_label = click.option(
    '--background-label',
    default=BACKGROUND,
    show_default=True,
    metavar='LABEL',
    help="The class that counts as unknown, the node's parameter of that name; '' for none.",
)

store_images = click.option(
    '--store-images',
    type=click.Choice(STORE_IMAGES),
    default='thumbnail',
    show_default=True,
    help='How to store the pictures; needed for the report, and for other extractors.',
)


def _not_nan(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """Return the value of an option unchanged; reject NaN, which FloatRange accepts."""
    if math.isnan(value):
        raise click.BadParameter('nan is not a number.')
    return value


min_novelty = click.option(
    '--min-novelty',
    type=click.FloatRange(max=2.0),
    callback=_not_nan,
    default=0.0,
    metavar='DISTANCE',
    help='Skip pictures nearer than this cosine distance to one of their class; negative: skip '
    'none.  [default: suits the extractor, 0.03 for the one in the package]',
)


bits = click.option(
    '--bits',
    type=click.IntRange(*BITS),
    default=BITS[1],
    show_default=True,
    help="Bits of a value in pictures of 16 bits, the node's parameter <camera>.bits.",
)


def data_dir(command: Command) -> Command:
    """Add ``--data-dir`` and ``--node``; the command receives the folder as ``data_dir``."""

    @click.option(
        '--data-dir',
        default='',
        metavar='FOLDER',
        help="Folder of samples and models, the node's parameter data_dir.  "
        '[default: $ROS_HOME/edgetpu_retrain or ~/.ros/edgetpu_retrain]',
    )
    @click.option(
        '--node',
        default='',
        metavar='/NAMESPACE/NAME',
        help='The default folder of the node with this full name, instead of --data-dir.',
    )
    @functools.wraps(command)
    def with_folder(data_dir: str, node: str, **others: Any) -> object:
        if node and data_dir:
            raise click.UsageError('Give either --data-dir or --node.')
        return command(data_dir=_folder_of(node) if node else data_dir, **others)

    return cast(Command, with_folder)


def _folder_of(node: str) -> str:
    name = f'/{node.removeprefix("/")}'
    if not _FULL_NODE_NAME.fullmatch(name):
        raise RequestError(
            f'--node is {quoted(node)}: give the full name of a node, as ros2 node list prints it'
        )
    return str(default_folder(name))


def data_dir_and_json(command: Command) -> Command:
    """Add the options of :func:`data_dir`, and ``--json``, which ``output.emit`` requires."""
    return data_dir(as_json(command))


def _device_name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return the value of an option unchanged; reject what is not the name of a device."""
    try:
        return read_device(value)
    except RequestError as error:
        raise click.BadParameter(sentence(error)) from error


def device(command: Command) -> Command:
    """Add ``--device`` and ``--threads``: where a model runs, and its number of CPU threads."""
    threads = click.option(
        '--threads', type=click.IntRange(1, 64), default=1, show_default=True, help='CPU threads.'
    )
    name = click.option(
        '--device',
        callback=_device_name,
        default='auto',
        show_default=True,
        help="'auto', 'cpu', 'usb', 'usb:0', 'pci', 'pci:0' or ':0'.",
    )
    return name(threads(command))


def bag_part(command: Command) -> Command:
    """Add the options that select images of a bag; the command receives them as ``part``."""

    @click.option('--topic', default='', help='For a bag: the topic of its images.')
    @_seconds('--from', 0.0, 'start of the selection.  [default: start of the bag]')
    @_seconds('--to', math.inf, 'end of the selection.  [default: end of the bag]')
    @_seconds('--every', 0.0, 'minimum interval between images.  [default: all images]')
    @functools.wraps(command)
    def with_part(topic: str, from_s: float, to_s: float, every_s: float, **others: Any) -> object:
        return command(part=BagPart(topic, from_s, to_s, every_s), **others)

    return cast(Command, with_part)


def _seconds(name: str, default: float, text: str) -> Callable[[Command], Command]:
    return click.option(
        name,
        f'{name[2:]}_s',
        type=click.FloatRange(min=0.0),
        default=default,
        metavar='SECONDS',
        help=f'For a bag: {text}',
    )
