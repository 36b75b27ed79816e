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
"""RecordedPicture: one picture of a recording, read on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgetpu_retrain.pictures.image_conversion import RgbArray


@dataclass(frozen=True, eq=False)
class RecordedPicture:
    """
    One picture of a recording.

    Args:
        name: its name for users: a path, or a topic with a time.
        read: returns it as uint8 ``[H, W, 3]`` RGB, or raises ImageError.
        label: its label, '' = none.
        camera: its topic, or '' for a file.
        stamp_ns: its stamp in nanoseconds, 0 = unknown.
    """

    name: str
    read: Callable[[], RgbArray]
    label: str = ''
    camera: str = ''
    stamp_ns: int = 0
