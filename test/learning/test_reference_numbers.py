# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Training reproduces the numbers of Google's libcoral, batch by batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgetpu_retrain import SoftmaxRegression
import numpy as np
import numpy.typing as npt
import pytest

Recording = dict[str, npt.NDArray[Any]]

DATA = Path(__file__).parent / 'data'
SHARED = Path(__file__).resolve().parents[3] / 'shared' / 'reference' / 'train'


# The small recordings lie beside this file; the big one is replayed where it is at hand.
RECORDINGS = [DATA / f'{name}.npz' for name in ('small', 'separable', 'real_embeddings')]
RECORDINGS += [
    path
    for path in sorted(SHARED.glob('*.npz'))
    if path.stem not in {'small', 'separable', 'real_embeddings', 'small_reg'}
]


def load(path: Path) -> Recording:
    with np.load(path) as file:
        return dict(file)


def prepared(recording: Recording, reg: float = 0.0) -> SoftmaxRegression:
    model = SoftmaxRegression(reg=reg)
    model.weights = recording['W0']
    model.bias = recording['b0']
    return model


@pytest.mark.parametrize('path', RECORDINGS, ids=lambda path: path.stem)
def test_replaying_the_batches_gives_the_recorded_weights_losses_and_range(path: Path) -> None:
    recording = load(path)
    model = prepared(recording)
    embeddings, labels = recording['X'], recording['y']
    rate, dump_every = float(recording['lr']), int(recording['dump_every'])

    losses = []
    for iteration, rows in enumerate(recording['idx']):
        losses.append(model.train_step(embeddings[rows], labels[rows], rate))
        if (iteration + 1) % dump_every == 0:
            dumped = iteration // dump_every
            assert model.weights == pytest.approx(recording['W_steps'][dumped], rel=0, abs=1e-6)
            assert model.bias == pytest.approx(recording['b_steps'][dumped], rel=0, abs=1e-6)

    assert len(losses) == len(recording['losses']) > 0
    assert losses == pytest.approx(recording['losses'], rel=0, abs=5e-6)
    assert model.weights == pytest.approx(recording['W'], rel=0, abs=1e-6)
    assert model.bias == pytest.approx(recording['b'], rel=0, abs=1e-6)
    seen = (float(recording['logit_min']), float(recording['logit_max']))
    assert model.logit_range == pytest.approx(seen, rel=1e-6, abs=1e-6)
    assert model.get_accuracy(embeddings, labels) == pytest.approx(recording['accuracy'], abs=1e-6)


def regularized_loss(
    weights: npt.NDArray[np.float64],
    bias: npt.NDArray[np.float64],
    batch: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
    reg: float,
) -> float:
    logits = batch @ weights + bias
    chosen = logits[np.arange(len(labels)), labels]
    cross_entropy = np.mean(np.log(np.exp(logits).sum(axis=1)) - chosen)
    return float(cross_entropy + 0.5 * reg * np.sum(weights**2))


def test_a_regularized_step_follows_the_finite_differences_of_the_right_loss() -> None:
    """The reference's own regularized numbers are a known defect, so calculus is the judge."""
    recording = load(DATA / 'small_reg.npz')
    reg, rate = float(recording['reg']), float(recording['lr'])
    assert reg == 0.5
    rows = recording['idx'][0]
    batch, labels = recording['X'][rows].astype(np.float64), recording['y'][rows]
    model = prepared(recording, reg)
    model.bias = [0.3, -0.2, 0.1]
    weights, bias = model.weights.astype(np.float64), model.bias.astype(np.float64)

    loss = model.train_step(batch, labels, rate)

    assert loss == pytest.approx(regularized_loss(weights, bias, batch, labels, reg), abs=1e-6)
    for parameter, stepped in ((weights, model.weights), (bias, model.bias)):
        before = parameter.copy()
        slopes = np.zeros_like(parameter)
        for place in np.ndindex(parameter.shape):
            sides = []
            for shift in (1e-5, -1e-5):
                parameter[place] = before[place] + shift
                sides.append(regularized_loss(weights, bias, batch, labels, reg))
            parameter[place] = before[place]
            slopes[place] = (sides[0] - sides[1]) / 2e-5
        assert (before - stepped) / rate == pytest.approx(slopes, rel=0, abs=5e-6)


def test_the_reference_defect_in_regularization_is_not_reproduced() -> None:
    recording = load(DATA / 'small_reg.npz')
    model = prepared(recording, float(recording['reg']))
    for rows in recording['idx']:
        model.train_step(recording['X'][rows], recording['y'][rows], float(recording['lr']))
    assert np.abs(model.weights - recording['W']).max() > 1e-3
