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
Engine: what runs frames on one device, whatever becomes of the device.

These are the types; :func:`~edgetpu_retrain.runtime.engines.engine_choice.make_engine` makes one.
An engine has one extractor and serves, from some moment on, a retrained model made from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.runtime.interpreters.image_input import nothing, PassTimes
from edgetpu_retrain.runtime.interpreters.preprocessing import Image
import numpy.typing as npt


class Servable:
    """
    A retrained model that an engine has loaded, ready to serve on that engine.

    Args:
        model: bytes of the .tflite file.
        labels: the class names that it carries.
    """

    def __init__(self, model: bytes, labels: tuple[str, ...]) -> None:
        self.model = model
        self.labels = labels


@dataclass(frozen=True, eq=False)
class Answer:
    """
    What one pass of the backbone gives.

    Args:
        embedding: ``[D]``, raw, in the extractor's output type; the array is the caller's own.
        scores: float32 ``[C]``; None before the first model serves.
        served: the model that gave the scores, None likewise.
        device: what computed it: ``'cpu'``, or an Edge TPU as in ``'usb:0'``.
        times: how long it took.
    """

    embedding: npt.NDArray[Any]
    scores: FloatArray | None
    served: Servable | None
    device: str
    times: PassTimes


@dataclass(frozen=True)
class EngineStatus:
    """
    How an engine is, for people to read.

    Args:
        device: what computes the next frame, as in :class:`Answer`; ``''`` while nothing does.
        runtime: its name and version.
        problem: one sentence, or ``''`` when all is well.
        temperature_celsius: of the Edge TPU, None where there is none or it does not tell.
    """

    device: str
    runtime: str
    problem: str = ''
    temperature_celsius: float | None = None


class Engine(Protocol):
    """
    Runs frames on one device.

    :meth:`run` and :meth:`serve` belong to one thread, so that a model is swapped between two
    frames; the other methods may be called from any.  One engine is one device: a node with
    several devices has several, with the same extractor and a servable of each.
    """

    @property
    def description(self) -> ModelDescription:
        """What the extractor takes in and puts out; samples are known by its identity."""

    @property
    def note(self) -> str:
        """One sentence worth telling the user at the start, or ``''``."""

    def run(self, rgb: Image, meanwhile: Callable[[], None] = nothing) -> Answer:
        """
        Return embedding and scores of a picture.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            meanwhile: called just before the interpreter is invoked, in whichever thread does
                that: what it sets off in other threads has Python to itself until the device
                or the processor is done.  It is not called when the device is down.

        Raises:
            ImageError: when ``rgb`` is no such picture.
            DeviceError: when this frame is lost, since nothing can compute it; one sentence.
        """

    def prepare(self, model: bytes, *, trusted: bool = True) -> Servable:
        """
        Load a retrained model and invoke it once, without disturbing the frames.

        Args:
            model: bytes of a .tflite file that was retrained from this engine's extractor.
            trusted: whether this project wrote it.  Any other is tried in a process of its own.

        Raises:
            ModelFileError: when it is no retrained model, or not one of this extractor.
            DeviceError: when there is no runtime for it.
        """

    def serve(self, servable: Servable) -> None:
        """
        Serve a model from the next frame on.

        Raises:
            ValueError: when another engine prepared it.
        """

    def retry_if_due(self) -> None:
        """
        Begin, in the background, to try a failed device again if it is time to.

        Each :meth:`run` does so too; a timer that calls this makes a device come back while no
        frames arrive.
        """

    def status(self) -> EngineStatus:
        """Return how the engine is; cheap enough for every second."""

    def close(self) -> None:
        """Let go of the device."""


def check_kind(
    found: ModelDescription, wanted: ModelDescription, what: str, *, compiled: bool
) -> None:
    """
    Refuse a model whose pictures and embeddings are not just those of the extractor.

    Args:
        found: of the model.
        wanted: of the extractor.
        what: the model, as the beginning of a sentence.
        compiled: whether the model has to be compiled for the Edge TPU.

    Raises:
        ModelFileError: naming the first difference.
    """
    if found.compiled_for_edgetpu != compiled:
        raise ModelFileError(
            f'{what} is{"" if found.compiled_for_edgetpu else " not"} compiled for the Edge TPU: '
            f"take the file of the same name {'with' if compiled else 'without'} '_edgetpu'"
        )
    for name in ('input_shape', 'input_dtype', 'output_dtype', 'dimension', 'quantization'):
        if getattr(found, name) != getattr(wanted, name):
            raise ModelFileError(
                f"{what} has {name} {getattr(found, name)}, and the extractor's is "
                f'{getattr(wanted, name)}: take the one that belongs to the extractor'
            )
