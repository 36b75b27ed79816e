# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Adds single samples to a store."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import RawArray
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore


def add_sample(
    store: SampleStore,
    label: str,
    embedding: RawArray,
    *,
    extractor: str,
    quantization: QuantizationParameters | None,
    addition: int = 0,
    min_novelty: float = 0.0,
    **fields: Any,
) -> int:
    """Add a sample with one embedding; return its id, 0 if it was skipped."""
    (sample_id,) = store.add(
        [Sample(label, {extractor: embedding}, **fields)],
        {extractor: quantization},
        addition=addition,
        min_novelty=min_novelty,
    )
    return sample_id
