# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The layout of a sample archive; docs/samples_zip.md describes it for other programs.

An archive contains no paths: an import looks members up by the names generated here, and never
extracts a member to a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind

FORMAT = 1

INDEX = 'samples.json'
"""Format version, number of samples and extractors."""

SAMPLES = 'samples.jsonl'
"""One line per sample, oldest first."""


def embeddings_member(identity: str) -> str:
    """Return the member name of an extractor's embeddings."""
    return f'embeddings/{identity}.npy'


def image_member(number: int) -> str:
    """Return the member name of a sample's picture, given its id in the exporting store."""
    return f'images/{number:08d}.jpg'


def kind_to_json(identity: str, kind: EmbeddingKind) -> dict[str, Any]:
    """Return the index entry of an extractor."""
    quantization = kind.quantization
    return {
        'identity': identity,
        'dimension': kind.dimension,
        'dtype': kind.dtype,
        'scale': quantization and quantization.scale,
        'zero_point': quantization and quantization.zero_point,
    }


def kind_from_json(entry: Mapping[str, Any]) -> EmbeddingKind:
    """
    Return the embedding kind from an extractor's index entry.

    Raises:
        ValueError, TypeError, KeyError: if the entry is damaged.
    """
    scale, zero_point = entry['scale'], entry['zero_point']
    quantization = None
    if scale is not None:
        quantization = QuantizationParameters(float(scale), int(zero_point))
    return EmbeddingKind(int(entry['dimension']), str(entry['dtype']), quantization)
