# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands models list, show, use, export and rollback."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click
from edgetpu_retrain.command_line import options
from edgetpu_retrain.command_line.chosen_model import serving_version, stored_version
from edgetpu_retrain.command_line.output import emit, percent, table, warn
from edgetpu_retrain.command_line.workspace import open_models
from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.learning.training_report import TAUGHT_IN_ONE_GO
from edgetpu_retrain.model_file.metadata.label_file import coral_label_file
from edgetpu_retrain.store.files.disk_errors import as_store_error
from edgetpu_retrain.store.files.durable_file import write_durably
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_store import ModelStore, ModelVersion

MODEL_FILE = 'model.tflite'
LABEL_FILE = 'labels.txt'

_version_argument = click.argument('version', type=click.IntRange(min=1), required=False)


@click.group()
def models() -> None:
    """Manage model versions."""


@models.command(name='list')
@options.data_dir_and_json
def list_models(data_dir: str) -> None:
    """List the versions, oldest first; * marks the serving version."""
    store = open_models(data_dir)
    broken = store.unusable()
    for reason in broken.values():
        warn(reason)
    found = [store.load(number) for number in store.versions() if number not in broken]
    serving = serving_version(store).version if found else 0
    head = ('version', 'made', 'classes', 'samples', 'held-out', 'unit', 'quantized', 'extractor')
    rows = [
        (
            f'{each.version}{" *" if each.version == serving else ""}',
            each.record.created,
            len(each.record.labels),
            sum(each.record.sample_counts.values()),
            percent(each.record.validation_accuracy),
            each.record.held_out_unit or '-',
            percent(each.record.quantized_validation_accuracy),
            each.record.extractor[:12],
        )
        for each in found
    ]
    lines = table(head, rows) if rows else [f'There are no models in {store.folder} yet.']
    emit({'serving': serving, 'models': list(map(_as_json, found))}, *lines)


@models.command()
@_version_argument
@options.data_dir_and_json
def show(version: int | None, data_dir: str) -> None:
    """Show the record and metrics of VERSION, by default the serving version."""
    found = stored_version(open_models(data_dir), version)
    record = found.record
    facts = {
        'version': found.version,
        'file': found.path,
        'made': record.created,
        'held-out accuracy': percent(record.validation_accuracy),
        'held out': _held_out(record.held_out_unit),
        'after quantization': percent(record.quantized_validation_accuracy),
        'training accuracy': percent(record.train_accuracy),
        'trained in': f'{record.seconds:.1f} s',
        'version before': record.parent_version or '-',
        'extractor': record.extractor,
        'input range': record.input_range or '-',
        'sha256': found.sha256,
    }
    rows = [
        (label, record.sample_counts[label], *row)
        for label, row in zip(record.labels, record.confusion_matrix, strict=True)
    ]
    lines = [f'{name + ":":20}{value}' for name, value in facts.items()]
    lines += ['', 'Confusion matrix of held-out samples: row = label, column = prediction.']
    lines += table(('class', 'samples', *record.labels), rows)
    emit(_as_json(found), *lines)


def _held_out(unit: str) -> str:
    """Return the unit of held-out samples, with a note if it is smaller than a recording."""
    return f'{unit} ({TAUGHT_IN_ONE_GO})' if unit not in ('', 'recordings') else unit or '-'


@models.command()
@click.argument('version', type=click.IntRange(min=1))
@options.data_dir_and_json
def use(version: int, data_dir: str) -> None:
    """
    Choose VERSION as the serving version.

    A node loads it at its next start.  A running node loads it at once if its parameter
    follow_models is true, and otherwise when its service ~/load_model is called.
    """
    store = open_models(data_dir)
    _choose(store, stored_version(store, version))


@models.command()
@options.data_dir_and_json
def rollback(data_dir: str) -> None:
    """Choose the newest undamaged version that is older than the serving one."""
    store = open_models(data_dir)
    serving = serving_version(store)
    before = store.previous(serving.version)
    if before is None:
        raise RequestError(
            f'there is no model version before {serving.version}, which serves: train more, or '
            "choose one with 'models use'"
        )
    _choose(store, before)


@models.command()
@click.argument('folder', type=options.PATH)
@click.option('--version', type=click.IntRange(min=1), help='[default: the serving version]')
@click.option('--force', is_flag=True, help='Overwrite existing files.')
@options.data_dir_and_json
def export(folder: Path, version: int | None, force: bool, data_dir: str) -> None:
    """Write model.tflite and Coral's labels.txt to FOLDER, for any TFLite runtime."""
    found = stored_version(open_models(data_dir), version)
    contents = {
        folder / MODEL_FILE: found.read_model(),
        folder / LABEL_FILE: coral_label_file(found.record.labels),
    }
    for path in contents:
        if path.exists() and not force:
            raise RequestError(f'{path} exists already: give another folder, or --force')
    with as_store_error('export the model to', folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in contents.items():
            write_durably(path, content)
    files = list(map(str, contents))
    emit(
        {'model_version': found.version, 'files': files},
        f'Model version {found.version} is exported: {" and ".join(files)}.',
    )


def _choose(store: ModelStore, chosen: ModelVersion) -> None:
    choice = ChoiceFile(store)
    before = choice.current()
    if before is not None and before.version in store.versions():
        # The version may be damaged, which is a reason to choose another one.
        with contextlib.suppress(StoreError):
            _warn_of_another_extractor(store.load(before.version), chosen)
    now = choice.choose(chosen.version)
    emit(
        {'serving': now.version, 'swaps': now.swaps},
        f'Model version {now.version} is chosen to serve.',
    )


def _warn_of_another_extractor(before: ModelVersion, chosen: ModelVersion) -> None:
    extractor, other = chosen.record.extractor, before.record.extractor
    if extractor != other:
        warn(
            f'version {chosen.version} is of extractor {extractor[:12]}, but version '
            f'{before.version} was of {other[:12]}: a node serves a version only with the '
            'extractor that it was trained with'
        )


def _as_json(found: ModelVersion) -> dict[str, Any]:
    return {
        'version': found.version,
        'file': str(found.path),
        'sha256': found.sha256,
        **found.record.to_json(),
    }
