# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Edge TPU engine: runs models on an Edge TPU, and recovers from the device's failures.

Each inference is a guarded call (guarded_model.py).  If the call does not return in time, or
raises an exception other than ImageError and MemoryError, the device has failed.  A hanging call
is abandoned together with its interpreter.  The CPU twin, if there is one, processes this frame
and the following ones.  Meanwhile, the engine retries the device in the background, with back-off.
Each retry uses the device first in a child process (probe.py), and then in this process.  The
reloaded model takes over between two frames.

After an exception, the device is closed immediately, so that the child process can open it.  A
device that hangs stays open in this process, because the library cannot be interrupted.  It
recovers after it is plugged in again or after this process restarts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
import threading
import time
from typing import Any

from edgetpu_retrain.errors import DeviceError, ImageError, ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe, describe_embedding
from edgetpu_retrain.model_file.head.weights import read_head_weights
from edgetpu_retrain.model_file.metadata.labels import read_labels
from edgetpu_retrain.runtime.engines import engine
from edgetpu_retrain.runtime.engines.back_off import BackOff
from edgetpu_retrain.runtime.engines.cpu_twin import CpuTwin
from edgetpu_retrain.runtime.engines.guarded_model import GuardedModel
from edgetpu_retrain.runtime.interpreters.device import find_edgetpu
from edgetpu_retrain.runtime.interpreters.interpreter import check_device_of_model
from edgetpu_retrain.runtime.interpreters.preprocessing import RgbArray
from edgetpu_retrain.runtime.interpreters.probe import probe, ProbeLimits
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.runtime.models.picture_model import failure_sentence

INVOKE_TIMEOUT_S = 2.0


@dataclass(eq=False)
class _OnEdgeTpu(engine.PreparedModel):
    """
    A prepared model, with the parts that the engine needs to serve it.

    Args:
        head: the head to run after the twin; None without a twin.
        on_device: the model on the device; None after ``serve``, or if the device was down or
            failed.
    """

    head: Head | None
    on_device: GuardedModel | None


class EdgeTpuEngine:
    """
    The engine for extractors that are compiled for the Edge TPU.

    Args:
        extractor: bytes of the compiled .tflite file.
        device: as in :func:`~edgetpu_retrain.runtime.interpreters.interpreter.load_model`.
        num_threads: number of threads for the twin, and for those operators of a compiled model
            that run on the CPU.
        twin: bytes of the extractor's CPU twin, which ships with this package or was probed; None
            if there is none.
        invoke_timeout_s: seconds after which an inference counts as failed.
        limits: limits of the probe process; ``wall_s`` is also the timeout for loading in this
            process.  None uses the defaults.
        may_start_down: whether the engine may start without its device and without a twin.
        report: called from any thread, with one sentence, when the device fails or recovers.
        clock: monotonic clock, in seconds.
        in_background: runs a function in the background; None starts a thread.

    Raises:
        ModelFileError: if the file is not an extractor, or if the twin cannot be run or does not
            match the extractor.
        DeviceError: if ``device`` is ``'cpu'`` or no device name, if there is no runtime for the
            twin, or if the device cannot run the extractor, there is no twin and
            ``may_start_down`` is False.
    """

    def __init__(
        self,
        extractor: bytes,
        *,
        device: str = 'auto',
        num_threads: int = 1,
        twin: bytes | None = None,
        invoke_timeout_s: float = INVOKE_TIMEOUT_S,
        limits: ProbeLimits | None = None,
        may_start_down: bool = False,
        report: Callable[[str], None] = lambda _sentence: None,
        clock: Callable[[], float] = time.monotonic,
        in_background: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        check_device_of_model(device, compiled=True)
        self._extractor = extractor
        self._device = device
        self._options: dict[str, Any] = {'device': device, 'num_threads': num_threads}
        self._invoke_timeout_s = invoke_timeout_s
        self._limits = limits or ProbeLimits()
        self._report = report
        self._clock = clock
        self._in_background = in_background or _in_a_thread
        self.description = describe(extractor)
        self.note = ''
        self._twin = (
            CpuTwin(twin, self.description, num_threads=num_threads) if twin is not None else None
        )
        # The lock protects state shared by the worker, training and retry threads.
        self._lock = threading.Lock()
        self._back_off = BackOff()
        self._on_device: GuardedModel | None = None
        self._failures = 0
        self._served: _OnEdgeTpu | None = None
        self._recovered: tuple[GuardedModel, _OnEdgeTpu | None] | None = None
        self._retry_at = 0.0
        self._retrying = False
        self._closed = False
        self._problem = ''
        try:
            self._on_device = self._try_device(None)
        except DeviceError as error:
            # Any other error is about the file, which no retry can change.
            if twin is None and not may_start_down:
                raise
            self._fail(failure_sentence(error, self._device), self._failures)

    def run(
        self, rgb: RgbArray, before_invoke: Callable[[], None] | None = None
    ) -> engine.Inference:
        """Return embedding and scores of a picture; see :meth:`Engine.run`."""
        self._take_recovered()
        with self._lock:
            on_device, served, failures = self._on_device, self._served, self._failures
        if on_device is not None:
            try:
                return on_device.run(rgb, served, self._invoke_timeout_s, before_invoke)
            except (ImageError, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 - any other exception is a device failure
                self._fail(failure_sentence(error, self._device), failures)
        self.retry_if_due()
        if self._twin is None:
            raise DeviceError(self._problem)
        return self._twin.run(rgb, served, served.head if served else None, before_invoke)

    def prepare(self, model: bytes, *, trusted: bool = True) -> engine.PreparedModel:
        """
        Load a retrained model; see :meth:`Engine.prepare`.

        While the device is down, only the head for the twin is prepared.  If the model serves when
        the device recovers, it is then loaded on the device.
        """
        if not trusted:
            # This process has the device open, so a child process could not probe the model.
            raise ModelFileError(
                'this model is compiled for the Edge TPU and was not written by this project, so '
                'it is not run: set extractor to the model that it was made from, and train again'
            )
        engine.check_kind(
            describe_embedding(model), self.description, 'The retrained model', compiled=True
        )
        with self._lock:
            is_up, failures = self._on_device is not None, self._failures
        on_device = None
        try:
            on_device = self._load(model) if is_up else None
        except DeviceError as error:
            self._fail(failure_sentence(error, self._device), failures)
        head = None if self._twin is None else Head(*read_head_weights(model))
        return _OnEdgeTpu(model, read_labels(model), head, on_device)

    def serve(self, prepared: engine.PreparedModel) -> None:
        """Serve a model from the next frame on; see :meth:`Engine.serve`."""
        if not isinstance(prepared, _OnEdgeTpu):
            raise ValueError('the model was prepared by another engine; prepare it on this one')
        with self._lock:
            self._served = prepared
            on_device, prepared.on_device = prepared.on_device, None
            if self._on_device is None:
                return
            self._on_device = on_device
            if on_device is None:
                # The device recovered after the model was prepared, so the model is not on the
                # device yet.  The next retry loads it.
                self._problem = 'The Edge TPU is loading the model.'

    def retry_if_due(self) -> None:
        """Start a retry of a failed device if one is due; see :meth:`Engine.retry_if_due`."""
        with self._lock:
            if (
                self._closed
                or self._retrying
                or self._on_device is not None
                or self._recovered is not None
                or self._clock() < self._retry_at
            ):
                return
            self._retrying = True
        self._in_background(self._retry)

    def status(self) -> engine.EngineStatus:
        """Return the engine's status."""
        with self._lock:
            on_device, problem = self._on_device, self._problem
        edgetpu = find_edgetpu(self._device)
        temperature = None if edgetpu is None else edgetpu.temperature_celsius()
        if on_device is not None:
            loaded = on_device.loaded
            return engine.EngineStatus(loaded.device, loaded.runtime, problem, temperature)
        if self._twin is not None:
            return engine.EngineStatus('cpu', self._twin.runtime, problem, temperature)
        return engine.EngineStatus('', '', problem, temperature)

    def close(self) -> None:
        """Release the device."""
        with self._lock:
            self._closed = True
            self._on_device = self._recovered = self._served = self._twin = None
            self._problem = 'The engine is closed.'

    def _try_device(self, served: _OnEdgeTpu | None) -> GuardedModel:
        """
        Probe the extractor on the device in a child process, then load a model on the device.

        Args:
            served: the model to load; None = the extractor.

        Raises:
            ModelFileError: if the model cannot be run on any device.
            DeviceError: if probing or loading fails; the message explains the failure in one
                sentence.
        """
        probe(self._extractor, **self._options, limits=self._limits)
        return self._load(served.model if served else None)

    def _load(self, model: bytes | None) -> GuardedModel:
        """Load a retrained model on the device, or the extractor if ``model`` is None."""
        load = partial(Classifier, model) if model else partial(Extractor, self._extractor)
        return GuardedModel(partial(load, **self._options), self._limits.wall_s)

    def _fail(self, failure: str, failures: int) -> None:
        """
        Mark the device as failed, and report the failure once.

        Args:
            failure: what happened, one sentence without its full stop.
            failures: the failure count when the failed call began; if the count has changed since,
                another call has already reported the failure.
        """
        with self._lock:
            if self._closed or failures != self._failures:
                return
            self._failures += 1
            self._on_device = None
            self._retry_at = self._back_off.failed(self._clock())
            self._problem = failure + self._what_serves()
        self._report(self._problem)

    def _what_serves(self) -> str:
        return (
            '; meanwhile fallback_extractor serves on the CPU'
            if self._twin is not None
            else '; no frame is served until it is back, because there is no fallback_extractor'
        )

    def _retry(self) -> None:
        with self._lock:
            served = self._served
        try:
            recovered = self._try_device(served)
        except Exception as error:  # noqa: BLE001 - an escaping exception would end all retries
            failure = failure_sentence(error, self._device)
            with self._lock:
                self._retrying = False
                self._retry_at = self._back_off.failed(self._clock())
                self._problem = failure + self._what_serves()
            return
        with self._lock:
            self._retrying = False
            if not self._closed:
                self._recovered = recovered, served

    def _take_recovered(self) -> None:
        """Switch to a recovered device, between two frames."""
        with self._lock:
            if self._recovered is None:
                return
            (on_device, served), self._recovered = self._recovered, None
            if served is not self._served:
                # Meanwhile, another model was chosen to serve.  The next retry loads it.
                return
            self._on_device = on_device
            self._back_off.succeeded(self._clock())
            self._problem = ''
        self._report(f'The Edge TPU serves again ({on_device.loaded.device}).')


def _in_a_thread(function: Callable[[], None]) -> None:
    threading.Thread(target=function, name='edgetpu_retry', daemon=True).start()
