# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Engine: runs models on one device, and handles the device's failures.

This module defines the types; :func:`~edgetpu_retrain.runtime.engines.device_engines.make_engine`
creates an engine.  An engine has one extractor.  It can also serve a model that was retrained from
the extractor: it then classifies each frame with the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.arrays import FloatArray
from edgetpu_retrain.model_file.description import ModelDescription
from edgetpu_retrain.runtime.interpreters.preprocessing import RgbArray
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.runtime.models.picture_model import InferenceTimes
import numpy.typing as npt


@dataclass(eq=False)
class PreparedModel:
    """
    A retrained model that an engine has loaded, ready to serve on that engine.

    Args:
        model: bytes of the .tflite file.
        labels: the class names in the file.
    """

    model: bytes
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Inference:
    """
    The result of one inference.

    Args:
        embedding: ``[D]``, not dequantized, in the extractor's output type; the caller owns the
            array.
        scores: float32 ``[C]``; None if no model serves.
        served: the model that computed the scores; None if no model serves.
        device: the device that ran the model: ``'cpu'``, or an Edge TPU such as ``'usb:0'``.
        times: duration of each stage.
    """

    embedding: npt.NDArray[Any]
    scores: FloatArray | None
    served: PreparedModel | None
    device: str
    times: InferenceTimes


@dataclass(frozen=True)
class EngineStatus:
    """
    The status of an engine, for users.

    Args:
        device: the device that processes the next frame, as in :class:`Inference`; ``''`` if none.
        runtime: name and version of the TFLite runtime; ``''`` if ``device`` is ``''``.
        problem: one sentence, or ``''`` if there is no problem.
        temperature_celsius: temperature of the Edge TPU; None if it is unknown, as on USB.
    """

    device: str
    runtime: str
    problem: str = ''
    temperature_celsius: float | None = None


class Engine(Protocol):
    """
    Runs models on one device.

    Call :meth:`run` and :meth:`serve` from the same thread, so that models are swapped between
    frames.  The other methods are thread-safe.  A node with several devices has one engine per
    device, all with the same extractor, and each engine loads its own copy of a model.
    """

    description: ModelDescription
    """The extractor's input and output; embeddings are stored under its ``identity``."""

    note: str
    """One sentence for the user at startup, or ``''``."""

    def run(self, rgb: RgbArray, before_invoke: Callable[[], None] | None = None) -> Inference:
        """
        Return embedding and scores of a picture.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            before_invoke: called from any thread after the input is filled, right before inference
                releases the GIL.  It is not called if the run fails earlier, and may be called
                twice if the fallback takes over.

        Raises:
            ImageError: if ``rgb`` has another type or shape, or if the output is not finite.
            DeviceError: if the device fails, and there is no fallback or the fallback fails, too.
        """

    def prepare(self, model: bytes, *, trusted: bool = True) -> PreparedModel:
        """
        Load a retrained model and invoke it once, without interrupting frames.

        Args:
            model: bytes of a .tflite file that was retrained from this engine's extractor.
            trusted: whether this project wrote the file.  Any other file is first probed in a
                child process on the CPU; the engine of an Edge TPU rejects it.

        Raises:
            ModelFileError: if the file is not a model retrained from this extractor, or is
                rejected.
            DeviceError: if there is no runtime for the model.
        """

    def serve(self, prepared: PreparedModel) -> None:
        """
        Serve a model from the next frame on.

        Raises:
            ValueError: if another kind of engine prepared the model.
        """

    def retry_if_due(self) -> None:
        """
        Retry a failed device in the background if a retry is due.

        Call this method from a timer, so that a device is retried even while no frames arrive;
        :meth:`run` also calls it.
        """

    def status(self) -> EngineStatus:
        """Return the engine's status; cheap enough to call every second."""

    def close(self) -> None:
        """Release the device; call this after the last :meth:`run`."""


def infer(
    model: Extractor | Classifier,
    rgb: RgbArray,
    served: PreparedModel | None,
    before_invoke: Callable[[], None] | None = None,
) -> Inference:
    """
    Run a model on a picture.

    Args:
        model: the extractor, or the classifier of ``served``.
        rgb: uint8 ``[H, W, 3]``.
        served: the retrained model that serves; None if there is none.
        before_invoke: as in :meth:`Engine.run`.

    Raises:
        ImageError: if ``rgb`` has another type or shape, or if the output is not finite.
        DeviceError: if the device does not run the model.
    """
    if isinstance(model, Extractor):
        embedding = model.embed(rgb, before_invoke)
        return Inference(embedding, None, None, model.loaded.device, model.times)
    result = model.classify(rgb, before_invoke)
    return Inference(result.embedding, result.scores, served, model.loaded.device, model.times)


def check_kind(
    found: ModelDescription, wanted: ModelDescription, what: str, *, compiled: bool
) -> None:
    """
    Check that a model's input and embedding have the same properties as those of the extractor.

    Args:
        found: description of the model.
        wanted: description of the extractor.
        what: name of the model, used in the message.
        compiled: whether the model must be compiled for the Edge TPU.

    Raises:
        ModelFileError: if a property differs; the message names the first difference.
    """
    if found.compiled_for_edgetpu != compiled:
        raise ModelFileError(
            f'{what} is{"" if found.compiled_for_edgetpu else " not"} compiled for the Edge TPU: '
            f"take the file of the same name {'with' if compiled else 'without'} '_edgetpu'"
        )
    for name in (
        'input_shape',
        'input_dtype',
        'normalization',
        'output_dtype',
        'dimension',
        'quantization',
    ):
        if getattr(found, name) != getattr(wanted, name):
            raise ModelFileError(
                f"{what} has {name} {getattr(found, name)}, and the extractor's is "
                f'{getattr(wanted, name)}: take the one that belongs to the extractor'
            )
