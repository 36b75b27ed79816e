# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""NodeSettings: the parameters of the retrain node that a member uses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.model_file.choices import ModelChoices, read_input_size
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.extractor_file import make_extractor
from edgetpu_retrain.model_file.normalization import read_input_range
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.store.files.folder_in_use import folder_in_use
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.known_extractors import has_used


@dataclass(frozen=True)
class NodeSettings:
    """
    Values of parameters of the retrain node.

    Each field except ``node`` is the node's parameter of the same name.

    Args:
        node: full name of the node.
        data_dir: the data folder; '' = the default one.
        extractor: path of a .tflite file; '' = the extractor in this package.
        input_range: normalization of a float extractor; '' = as the file states.
        input_size: width and height for an extractor with an input of any size, such as
            '224x224'; '' = as the metadata of the file states.
        model_output: name or number of the output with the embedding; '' = the only output.
    """

    node: str
    data_dir: str = ''
    extractor: str = ''
    input_range: str = ''
    input_size: str = ''
    model_output: str = ''

    def folder(self) -> Path:
        """
        Return the node's data folder.

        Raises:
            StoreError: if the path is invalid, or no node on this machine uses the folder.
        """
        return folder_in_use(self.data_dir, self.node, 'the fleet process')

    def read_extractor(self, folder: Path) -> bytes:
        """
        Return the bytes of the extractor as the node uses it.

        Args:
            folder: the data folder.

        Raises:
            OSError, ModelFileError, RequestError: if the file cannot be read or used.
        """
        choices = ModelChoices(
            read_input_range(self.input_range), read_input_size(self.input_size), self.model_output
        )
        content = read_model(self.extractor or default_extractor_path())
        return make_extractor(content, choices, has_samples=partial(has_used, folder)).model


def space_of(extractor: bytes) -> EmbeddingSpace:
    """
    Return the space of an extractor's embeddings.

    Raises:
        ModelFileError: if the extractor is damaged.
    """
    about = describe(extractor)
    kind = EmbeddingKind(about.dimension, about.output_dtype, about.quantization)
    normalization = '' if about.normalization is None else str(about.normalization)
    return EmbeddingSpace(about.identity, kind, normalization)
