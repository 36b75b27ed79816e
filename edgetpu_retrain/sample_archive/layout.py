# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The layout of a sample archive; docs/samples_zip.md describes it for other programs."""

from __future__ import annotations

FORMAT = 1

INDEX = 'samples.json'
"""The member with the format version, the number of samples and the extractors."""

SAMPLES = 'samples.jsonl'
"""The member with one line per sample, oldest first."""


def embeddings_member(identity: str) -> str:
    """Return the member name of an extractor's embeddings."""
    return f'embeddings/{identity}.npy'


def image_member(number: int) -> str:
    """Return the member name of a sample's picture; ``number`` is its id when exported."""
    return f'images/{number:08d}.jpg'
