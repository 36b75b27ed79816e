# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Type aliases for arrays, and the division of their rows into blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Enough rows for efficient matrix products.  A float32 block of the default extractor's
# embeddings, which have length 1280, takes 20 MiB.
_BLOCK_ROWS = 4096


def row_blocks(count: int) -> Iterator[slice]:
    """Yield slices that divide the rows 0 to ``count - 1`` into blocks of at most 4096 rows."""
    for start in range(0, count, _BLOCK_ROWS):
        yield slice(start, min(start + _BLOCK_ROWS, count))
