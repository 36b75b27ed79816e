# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""An engine on a simulated Edge TPU, with a clock that tests set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.runtime.engines.edgetpu_engine import EdgeTpuEngine
from edgetpu_retrain.runtime.interpreters.preprocessing import fit_to_input, RgbArray
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
from support.edgetpu_stand_in import stand_in_embedding
from support.small_models import build_extractor
from support.waiting import PATIENCE_S

DIMENSION = 16
COMPILED = build_extractor('uint8', dimension=DIMENSION, compiled=True)
TWIN = build_extractor('uint8', dimension=DIMENSION)


class Bench:
    """
    An engine with a clock and a background thread that the test controls.

    Background work waits in ``waiting`` until the test runs it.  An inference may take as long as
    a busy machine needs, unless the options say otherwise.
    """

    def __init__(self, twin: bytes | None = TWIN, **options: Any) -> None:
        self.now = 0.0
        self.reports: list[str] = []
        self.waiting: list[Callable[[], None]] = []
        self.engine = EdgeTpuEngine(
            COMPILED,
            twin=twin,
            report=self.reports.append,
            clock=lambda: self.now,
            in_background=self.waiting.append,
            **{'invoke_timeout_s': PATIENCE_S, **options},
        )

    def retry(self) -> None:
        """Run the waiting attempt to use the device again."""
        (attempt,) = self.waiting
        self.waiting.clear()
        attempt()


def picture(seed: int = 0) -> RgbArray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 5, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(8, axis=0).repeat(8, axis=1))


def head(seed: int = 0, classes: int = 3) -> Head:
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, 0.3, (DIMENSION, classes)).astype(np.float32)
    labels = tuple(f'class {number}' for number in range(classes))
    return Head(weights, np.zeros(classes, np.float32), labels, (-6.0, 6.0))


def device_embedding(rgb: RgbArray) -> Any:
    return stand_in_embedding(fit_to_input(rgb, describe(COMPILED)), DIMENSION)


def twin_embedding(rgb: RgbArray) -> Any:
    return Extractor(TWIN, device='cpu').embed(rgb)
