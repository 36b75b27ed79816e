# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The default extractor, which is part of the package, so that no download is needed.

It is EfficientNet-Lite0, fully quantized: from 224x224 RGB pixels to an embedding of 1280 uint8
values.  LICENSE-efficientnet-lite0.md in this folder has its licence, source and recipe.
"""

from __future__ import annotations

from pathlib import Path

DEFAULT_EXTRACTOR = 'efficientnet_lite0_embedding_extractor_uint8.tflite'


def default_extractor_path() -> Path:
    """Return the path of the default extractor's .tflite file."""
    return Path(__file__).with_name(DEFAULT_EXTRACTOR)
