# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
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
