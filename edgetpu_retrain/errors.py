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
What can go wrong, as types.

Every error that this package raises on purpose is a :class:`RetrainError` whose message says
what was wrong, with the value, and what to do.  Shells (the node, the command line) show the
message and carry on; anything else that escapes is a bug.

Messages quote what came from outside: names, values, what libraries say of them.  So that no file
and no request can write a line of its own into a log, or flood it, a message is one printable line
of bounded length, whatever was put into it.
"""

from edgetpu_retrain.wording import presentable


class RetrainError(Exception):
    """Base of all errors that this package raises on purpose."""

    def __str__(self) -> str:
        return presentable(super().__str__())


class ModelFileError(RetrainError, ValueError):
    """A .tflite file that cannot be read, or that cannot take a new head."""


class DeviceError(RetrainError, RuntimeError):
    """No runtime, no Edge TPU, or a model that the device at hand cannot run."""


class ImageError(RetrainError, ValueError):
    """A picture that cannot be decoded or converted."""


class RecordingError(RetrainError, RuntimeError):
    """A folder of pictures or a bag that cannot be read."""


class StoreError(RetrainError, RuntimeError):
    """Samples or models on disk that cannot be read or written."""


class RequestError(RetrainError, ValueError):
    """What a service, an action or the command line was asked, and refuses."""


class RosMissingError(RetrainError, ImportError):
    """A part that needs ROS 2, imported where there is none."""
