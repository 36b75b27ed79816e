# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The default extractor, which ships with the package so that everything works offline.

EfficientNet-Lite0, fully quantized, 224x224 RGB to an embedding of 1280 uint8 values; licence,
source and recipe are in LICENSE-efficientnet-lite0.md in this folder.
"""

from __future__ import annotations

from pathlib import Path

DEFAULT_EXTRACTOR = 'efficientnet_lite0_embedding_extractor_uint8.tflite'


def default_extractor_path() -> Path:
    """Return the path of the default extractor's .tflite file."""
    return Path(__file__).with_name(DEFAULT_EXTRACTOR)
