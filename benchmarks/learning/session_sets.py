# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Embeddings of several sessions: from files, or of a synthetic set made by the benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.learning.embedding_sets import EmbeddingSet
from edgetpu_retrain.learning import FloatArray, IntArray
import numpy as np
import numpy.typing as npt

# Not a part of this repository; its README names the pictures.
FOLDER = Path(__file__).parents[3] / 'shared/reference/sessions'

# As in the files: a burst of 30 frames, and 12 views in each other session.
_CLASSES, _DIM, _LATENT = 104, 1280, 24
_FRAMES = {'A': 30, 'D': 12, 'B': 12, 'C': 12}
# D is another time at the same place, so its light and background are those of A.
_PLACES = {'A': 'A', 'D': 'A', 'B': 'B', 'C': 'C'}
_SCALE = 0.0234
# Standard deviations of the latent features, relative to that of the class means.  They are chosen
# so that the frames of a burst are as near to each other, and the errors of another session as
# frequent, as in the set sim_lite0.
_PLACE, _BACKGROUND, _VIEW, _SHAKE, _NOISE = 0.8, 0.5, 0.7, 0.1, 0.12


@dataclass(frozen=True, eq=False)
class SessionSet:
    """
    Quantized embeddings with their classes and sessions.

    Args:
        rows: the embeddings; the class of a row without a known object is -1.
        session: the session of each row, str ``[N]``.
    """

    rows: EmbeddingSet
    session: npt.NDArray[np.str_]

    def members(self, session: str, label: int) -> IntArray:
        """Return the rows of a class in a session, int64, in the order of the frames."""
        return np.flatnonzero((self.session == session) & (self.rows.labels == label))


def read_sessions(path: Path) -> SessionSet:
    """Return the set of an .npz file with embeddings, labels, session, scale and zero_point."""
    with np.load(path, allow_pickle=False) as file:
        rows = EmbeddingSet(
            path.stem,
            file['embeddings'],
            file['labels'].astype(np.int64),
            float(file['scale']),
            int(file['zero_point']),
        )
        return SessionSet(rows, file['session'])


def session_sets(folder: Path = FOLDER) -> dict[str, SessionSet]:
    """Return the sets of the folder by name, and the synthetic one."""
    found = [read_sessions(path) for path in sorted(folder.glob('*_lite0.npz'))]
    return {data.rows.name: data for data in [*found, synthetic_sessions()]}


def synthetic_sessions(classes: int = _CLASSES, dim: int = _DIM, seed: int = 0) -> SessionSet:
    """
    Return uint8 embeddings of a burst of near copies (A) and of other views (D, B, C).

    An embedding is a rectified linear map of latent features: the class's mean, a shift that all
    classes share in a place, one of the class in that place (the background of the object), the
    view, and noise.  All frames of a burst have the same view, except for the shake of a hand.

    Args:
        classes: C.
        dim: D.
        seed: random seed.
    """
    rng = np.random.default_rng(seed)
    # Few directions dominate real embeddings.
    spectrum = np.geomspace(1.0, 0.2, _LATENT)
    mixing = rng.normal(size=(_LATENT, dim)) / np.sqrt(_LATENT)
    means = rng.normal(size=(classes, _LATENT))
    parts: list[FloatArray] = []
    labels: list[int] = []
    sessions: list[str] = []
    shifts = {place: rng.normal(size=_LATENT) for place in 'ABC'}
    backgrounds = {place: rng.normal(size=(classes, _LATENT)) for place in 'ABC'}
    for session, place in _PLACES.items():
        count = _FRAMES[session]
        for label in range(classes):
            seen = _views(rng, count, burst=session == 'A')
            latent = (
                means[label] + _PLACE * shifts[place] + _BACKGROUND * backgrounds[place][label]
            )
            noise = rng.normal(size=(count, dim))
            values = ((latent + seen) * spectrum) @ mixing + _NOISE * noise
            parts.append(np.maximum(values, 0.0).astype(np.float32))
            labels += [label] * count
            sessions += [session] * count
    stored = np.clip(np.rint(np.concatenate(parts) / _SCALE), 0, 255).astype(np.uint8)
    rows = EmbeddingSet('synthetic', stored, np.array(labels, np.int64), _SCALE, 0)
    return SessionSet(rows, np.array(sessions))


def joined(parts: Sequence[SessionSet], classes: int) -> EmbeddingSet:
    """
    Return one set with the classes of several sets side by side, of the same quantization.

    Args:
        parts: the sets.
        classes: number of classes to keep, the first ones.
    """
    raw: list[npt.NDArray[Any]] = []
    labels: list[IntArray] = []
    before = 0
    for part in parts:
        kept = part.rows.labels >= 0
        raw.append(part.rows.raw[kept])
        labels.append(part.rows.labels[kept] + before)
        before += part.rows.num_classes
    numbers = np.concatenate(labels)
    kept = numbers < classes
    first = parts[0].rows
    name = ' and '.join(part.rows.name for part in parts)
    return EmbeddingSet(
        name, np.concatenate(raw)[kept], numbers[kept], first.scale, first.zero_point
    )


def _views(rng: np.random.Generator, count: int, *, burst: bool) -> npt.NDArray[np.float64]:
    """Return the latent features of views ``[count, K]``: one for all frames of a burst."""
    if burst:
        return _VIEW * rng.normal(size=_LATENT) + _SHAKE * rng.normal(size=(count, _LATENT))
    return _VIEW * rng.normal(size=(count, _LATENT))
