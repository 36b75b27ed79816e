# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Type aliases for arrays, and a loop over blocks of their rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Enough rows for efficient matrix products; 4096 x 1280 float32 values are 20 MiB.
_BLOCK_ROWS = 4096


def row_blocks(count: int) -> Iterator[slice]:
    """Yield slices that divide rows 0 to ``count - 1`` into blocks, to bound a loop's memory."""
    for start in range(0, count, _BLOCK_ROWS):
        yield slice(start, min(start + _BLOCK_ROWS, count))
