# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Floating-point numbers for property tests, without the subnormal ones.

A library built with -ffast-math makes the whole process flush subnormal numbers to zero, as
tflite-runtime's wheel for aarch64 does, and Hypothesis then refuses to generate them:
https://simonbyrne.github.io/notes/fastmath/
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np


def floats(*limits: float, **options: Any) -> st.SearchStrategy[float]:
    """Return ``hypothesis.strategies.floats`` without subnormal numbers."""
    return st.floats(*limits, allow_subnormal=False, **options)


def elements_of(dtype: str) -> st.SearchStrategy[Any]:
    """Return all values of a numpy dtype without subnormal numbers."""
    elements: st.SearchStrategy[Any] = hnp.from_dtype(np.dtype(dtype), allow_subnormal=False)
    return elements
