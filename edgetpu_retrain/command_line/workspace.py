# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Opens the files that commands work on: the stores of a data folder, and extractors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from edgetpu_retrain.command_line.options import NamedModel
from edgetpu_retrain.command_line.output import warn
from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.extractor_file import make_extractor
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.runtime.engines.device_engines import make_engine
from edgetpu_retrain.runtime.engines.engine import Engine
from edgetpu_retrain.store.files.data_folder import (
    data_folder,
    default_folder,
    expanded,
    MODELS_FOLDER,
    SAMPLES_FILE,
)
from edgetpu_retrain.store.models.model_store import ModelStore
from edgetpu_retrain.store.samples.known_extractors import has_used
from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain.wording import counted


def open_samples(data_dir: str, *, create: bool = False) -> SampleStore:
    """
    Open the samples of a data folder.

    Args:
        data_dir: the folder; '' = the default one, which is created if it is missing.
        create: whether to create any other missing folder.  Commands that only read must not do
            this: after a typo, they would create an empty folder and report that it has no
            samples.

    Raises:
        RequestError: if there is no such folder, and create is False.
        StoreError: if the folder cannot be created, or the samples cannot be read.
    """
    return SampleStore((data_folder if create else existing_folder)(data_dir) / SAMPLES_FILE)


def open_models(data_dir: str) -> ModelStore:
    """
    Open the model versions of a data folder.

    Args:
        data_dir: the folder; '' = the default one, which is created if it is missing.

    Raises:
        RequestError: if there is no such folder.
        StoreError: if a folder cannot be created.
    """
    return ModelStore(existing_folder(data_dir) / MODELS_FOLDER)


def existing_folder(data_dir: str) -> Path:
    """
    Return the path of a data folder that must exist.

    Args:
        data_dir: the folder; '' = the default one, which is created if it is missing.

    Raises:
        RequestError: if there is no such folder.
        StoreError: if the default folder cannot be created.
    """
    if data_dir and not expanded(Path(data_dir)).is_dir():
        raise RequestError(
            f'there is no data folder {data_dir!r}: check --data-dir or --node; `teach` and '
            '`samples import` make one'
        )
    return data_folder(data_dir)


def read_model_file(path: str | Path) -> bytes:
    """
    Return the bytes of a .tflite file.

    Raises:
        RequestError: if there is no such file.
        ModelFileError: if it is not a .tflite file.
    """
    try:
        return read_model(path)
    except FileNotFoundError as error:
        raise RequestError(str(error)) from error


def read_extractor(extractor: NamedModel, data_dir: str) -> bytes:
    """
    Return an extractor made from the file that the user names, as the bytes of a .tflite file.

    Changes, such as a classification layer that is cut off, are printed as warnings.

    Args:
        extractor: the file and the user's choices for it; the default is the extractor in this
            package.
        data_dir: the data folder; '' = the default one.  If it has samples that an earlier release
            made with this file, the extractor is made as that release did, so that these samples
            stay valid.

    Raises:
        RequestError: if there is no such file.
        ModelFileError: if no extractor can be made from it.
    """
    file = read_model_file(extractor.name or default_extractor_path())
    folder = expanded(Path(data_dir) if data_dir else default_folder())
    made = make_extractor(file, extractor.choices, has_samples=partial(has_used, folder))
    for note in made.notes:
        warn(note)
    return made.model


def identity_of(extractor: NamedModel, data_dir: str) -> str:
    """Return the identity of an extractor, by which the store finds the extractor's embeddings."""
    return describe(read_extractor(extractor, data_dir)).identity


@contextmanager
def open_engine(
    extractor: NamedModel, device: str, threads: int, data_dir: str
) -> Iterator[Engine]:
    """Yield an engine that runs an extractor, and close it afterwards."""
    model = read_extractor(extractor, data_dir)
    with closing(make_engine(model, device=device, num_threads=threads, report=warn)) as engine:
        if engine.note:
            warn(engine.note)
        yield engine


def counts_of(store: SampleStore, identity: str) -> dict[str, int]:
    """
    Return, for each class, the number of samples with an embedding of an extractor.

    Args:
        store: the samples.
        identity: identity of the extractor.

    Returns:
        The numbers by label; {} if the store has no samples at all.

    Raises:
        RequestError: if all samples have embeddings of other extractors only.
    """
    counts = store.counts(extractor=identity)
    if not counts:
        others = store.unembedded(extractor=identity).samples
        if others:
            raise RequestError(
                f'the extractor {identity[:12]} does not match the store: its '
                f'{counted(others, "sample was", "samples were")} made by another one, or by this '
                'file with another --input-range, --input-size or --model-output. Give that one '
                'with --extractor and its options, or teach again with this one'
            )
    return counts
