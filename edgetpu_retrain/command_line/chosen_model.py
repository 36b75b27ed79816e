# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The model that --model names: a stored version, or any .tflite classifier."""

from __future__ import annotations

import contextlib
from pathlib import Path

from edgetpu_retrain.command_line.options import NamedModel
from edgetpu_retrain.command_line.output import warn
from edgetpu_retrain.command_line.workspace import open_models, read_model_file
from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.model_file.choices import NO_CHOICES
from edgetpu_retrain.model_file.classifier_file import count_classes
from edgetpu_retrain.model_file.metadata.label_file import read_label_file
from edgetpu_retrain.runtime.models.recognizer import Recognizer
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_store import ModelStore, ModelVersion


def load_chosen_model(
    named: NamedModel,
    label_file: Path | None,
    background_label: str,
    data_dir: str,
    device: str,
    threads: int,
) -> tuple[Recognizer, int]:
    """
    Load the model that the user names.

    Args:
        named: a version number, the path of a file, or '' for the serving version; and the user's
            choices, which only a file may have.
        label_file: file with the model's class names; None uses those inside the model.
        background_label: name of the class that counts as unknown; '' = none.
        data_dir: the data folder; '' = the default one.
        device: the device that runs the model, such as 'auto', 'cpu' or 'usb'.
        threads: number of CPU threads.

    Returns:
        The loaded model and its version number, which is 0 for a file.

    Raises:
        RetrainError: if there is no such model, an argument does not fit it, or it cannot run.
    """
    model = named.name
    version: ModelVersion | None = None
    if model.isascii() and model.isdecimal():
        version = stored_version(open_models(data_dir), int(model))
    elif not model:
        version = serving_version(open_models(data_dir))
    if version is not None and named.choices != NO_CHOICES:
        raise RequestError(
            '--input-range, --input-size and --model-output are for a file, and a model version '
            'states its own: give a .tflite file with --model'
        )
    content = read_model_file(model) if version is None else version.read_model()
    labels: tuple[str, ...] = ()
    if label_file is not None:
        labels = read_label_file(label_file, count_classes(content, named.choices), warn)
    recognizer = Recognizer(
        content,
        labels=labels,
        device=device,
        num_threads=threads,
        trusted=version is not None,
        choices=named.choices,
        background_label=background_label,
    )
    for note in recognizer.notes:
        warn(note)
    return recognizer, 0 if version is None else version.version


def stored_version(models: ModelStore, version: int | None) -> ModelVersion:
    """
    Return a version by its number; None means the serving version.

    Raises:
        RequestError: if there is no such version.
        StoreError: if the version is damaged, or the folder cannot be read.
    """
    if version is None:
        return serving_version(models)
    known = models.versions()
    if version not in known:
        raise RequestError(
            f'there is no model version {version} in {models.folder}; there are: '
            f'{", ".join(map(str, known)) or "none"}'
        )
    return models.load(version)


def serving_version(models: ModelStore) -> ModelVersion:
    """
    Return the first undamaged version, in the order in which a node tries them when it starts.

    Raises:
        RequestError: if there are no versions.
        StoreError: if all versions are damaged, or the folder, or the file that records the
            choice, cannot be read.
    """
    versions = ChoiceFile(models).versions_to_try()
    for number in versions:
        with contextlib.suppress(StoreError):
            return models.load(number)
    if versions:
        # Loading the first one again raises an error with the reason.
        return models.load(versions[0])
    raise RequestError(
        f'there is no trained model in {models.folder}: teach and train first, or give a file '
        'with --model'
    )
