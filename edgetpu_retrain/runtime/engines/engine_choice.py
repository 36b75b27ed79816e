# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Chooses the engine for an extractor, and probes its file before loading it."""

from __future__ import annotations

from collections.abc import Callable

from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.runtime.engines.cpu_engine import CpuEngine
from edgetpu_retrain.runtime.engines.edgetpu_engine import EdgeTpuEngine, INVOKE_TIMEOUT_S
from edgetpu_retrain.runtime.engines.engine import check_kind, Engine
from edgetpu_retrain.runtime.interpreters.probe import probe, ProbeLimits


def make_engine(
    extractor: bytes,
    *,
    device: str = 'auto',
    num_threads: int = 1,
    fallback: bytes | None = None,
    invoke_timeout_s: float = INVOKE_TIMEOUT_S,
    limits: ProbeLimits | None = None,
    may_start_down: bool = False,
    report: Callable[[str], None] = lambda _sentence: None,
) -> Engine:
    """
    Return the engine that runs an extractor.

    A compiled extractor runs on the Edge TPU, and its twin on the CPU while the Edge TPU is down.
    Any other extractor runs on the CPU.  Files that do not ship with this package are first
    probed in a child process, which takes about a second each.

    Args:
        extractor: bytes of the .tflite file.
        device: as in :func:`~edgetpu_retrain.runtime.interpreters.interpreter.load_model`.
        num_threads: threads of the CPU's operators.
        fallback: bytes of the CPU twin of a compiled extractor; ignored for other extractors.
        invoke_timeout_s: seconds after which an inference on an Edge TPU counts as failed.
        limits: limits of the probe processes.
        may_start_down: whether to start without Edge TPU and twin; the engine then runs no
            frames until the Edge TPU is available.
        report: called once per failure or recovery, with one sentence, from any thread.

    Raises:
        ModelFileError: if a file is not an extractor, cannot be run, or the twin does not match.
        DeviceError: if there is no runtime, or neither Edge TPU nor twin for a compiled
            extractor, unless ``may_start_down``.
    """
    description = describe(extractor)
    if not description.compiled_for_edgetpu:
        _probe_foreign(extractor, num_threads, limits)
        return CpuEngine(extractor, device=device, num_threads=num_threads, report=report)
    if fallback is not None:
        check_kind(describe(fallback), description, 'fallback_extractor', compiled=False)
        _probe_foreign(fallback, num_threads, limits)
    return EdgeTpuEngine(
        extractor,
        device=device,
        num_threads=num_threads,
        twin=fallback,
        invoke_timeout_s=invoke_timeout_s,
        limits=limits,
        may_start_down=may_start_down,
        report=report,
    )


def _probe_foreign(model: bytes, num_threads: int, limits: ProbeLimits | None) -> None:
    # The packaged extractor is known to run, so it needs no probe.
    if model != default_extractor_path().read_bytes():
        probe(model, device='cpu', num_threads=num_threads, limits=limits)
