# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command extractor: makes an embedding extractor from a classifier, as a file."""

from __future__ import annotations

from pathlib import Path

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.output import emit
from edgetpu_retrain.command_line.workspace import read_extractor
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.runtime.engines.device_engines import make_engine
from edgetpu_retrain.store.files.durable_file import write_durably


@click.command()
@options.model_file
@click.argument('target', type=options.PATH, metavar='OUT.tflite')
@options.data_dir_and_json
def extractor(model_file: options.NamedModel, target: Path, data_dir: str) -> None:
    """
    Make an embedding extractor from a classifier, by cutting off its classification layer.

    Give OUT.tflite as --extractor, or as the node's parameter `extractor`, instead of the
    classifier and its options.  The samples in --data-dir that were made with these stay valid,
    also those of earlier releases.  A quantized OUT.tflite can also be compiled for the Edge TPU.
    """
    if target.exists():
        raise RequestError(f'{target} exists already: give the name of a new file')
    model = read_extractor(model_file, data_dir)
    description = describe(model)
    if not description.compiled_for_edgetpu:
        # Load the extractor once before writing it: some faults, such as a shape that does not
        # fit, are found only by the runtime.
        make_engine(model, device='cpu').close()
    try:
        write_durably(target, model)
    except OSError as error:
        raise RequestError(
            f'{target} cannot be written ({error.strerror}): give another file'
        ) from error
    _, height, width, _ = description.input_shape
    result = {
        'extractor': str(target),
        'identity': description.identity,
        'dimension': description.dimension,
        'dtype': description.output_dtype,
        'input_size': [width, height],
        'input_range': str(description.normalization or ''),
    }
    emit(
        result,
        f'{target}: from {width}x{height} pixels to an embedding of {description.dimension} '
        f'{description.output_dtype} numbers.',
    )
