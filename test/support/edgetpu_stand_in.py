# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
A stand-in for Coral's library, compiled by the tests themselves.

    from support.edgetpu_stand_in import build_edgetpu_stand_in, stand_in_embedding
    library = build_edgetpu_stand_in(tmp_path)

``edgetpu_stand_in.c`` describes what it does and how to make it fail.  It has the name of the real
library, so that a process with its folder in LD_LIBRARY_PATH loads it.
"""

from __future__ import annotations

import os
from pathlib import Path
import subprocess

import numpy as np
import numpy.typing as npt

SOURCE = Path(__file__).with_suffix('.c')


def build_edgetpu_stand_in(folder: Path) -> Path:
    """
    Compile the stand-in.

    Args:
        folder: folder for ``libedgetpu.so.1``.

    Returns:
        The library's path.
    """
    library = folder / 'libedgetpu.so.1'
    compiler = os.environ.get('CC', 'cc')
    # No -Werror: a newer compiler may have more warnings.
    strict = ['-std=c11', '-D_POSIX_C_SOURCE=200809L', '-Wall', '-Wextra']
    shared = ['-O2', '-shared', '-fPIC', str(SOURCE), '-o', str(library)]
    subprocess.run([compiler, *strict, *shared], check=True)
    return library


def stand_in_embedding(tensor: npt.NDArray[np.uint8], dimension: int) -> npt.NDArray[np.uint8]:
    """Return the embedding that the stand-in computes: the means of D parts of the input."""
    pixels = tensor.reshape(-1).astype(np.int64)
    edges = np.arange(dimension + 1) * pixels.size // dimension
    sums = np.add.reduceat(pixels, edges[:-1])
    embedding: npt.NDArray[np.uint8] = (sums // np.diff(edges)).astype(np.uint8)
    return embedding
