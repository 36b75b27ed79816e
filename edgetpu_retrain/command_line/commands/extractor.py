# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command extractor: makes an embedding extractor of a classifier, as a file."""

from __future__ import annotations

from pathlib import Path

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.output import emit, warn
from edgetpu_retrain.command_line.workspace import read_model_file
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.extractor_file import make_extractor
from edgetpu_retrain.store.files.durable_file import write_durably


@click.command()
@click.argument('classifier', type=options.PATH, metavar='CLASSIFIER.tflite')
@click.argument('target', type=options.PATH, metavar='OUT.tflite')
@options.as_json
def extractor(classifier: Path, target: Path) -> None:
    """
    Make an embedding extractor of a classifier: cut it in front of its classifying layer.

    OUT.tflite and the classifier itself give the same samples as --extractor, and as the node's
    parameter extractor.  OUT.tflite can also be compiled for the Edge TPU.
    """
    made = make_extractor(read_model_file(classifier))
    for note in made.notes:
        warn(note)
    try:
        write_durably(target, made.model)
    except OSError as error:
        raise RequestError(
            f'{target} cannot be written ({error.strerror}): give another file'
        ) from error
    description = describe(made.model)
    _, height, width, _ = description.input_shape
    result = {
        'extractor': str(target),
        'identity': description.identity,
        'dimension': description.dimension,
        'dtype': description.output_dtype,
        'input': [height, width],
    }
    emit(
        result,
        f'{target}: from {width}x{height} pixels to an embedding of {description.dimension} '
        f'{description.output_dtype} numbers.',
    )
