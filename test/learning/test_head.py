# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.learning import arrays, Head
import numpy as np
import pytest


def test_blocks_give_what_one_product_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((25, 3)).astype(np.float32)
    head = Head(rng.standard_normal((3, 4)).astype(np.float32), np.arange(4, dtype=np.float32))
    whole = embeddings @ head.weights + head.bias
    monkeypatch.setattr(arrays, '_BLOCK_ROWS', 10)
    assert np.array_equal(head.predict(embeddings), np.argmax(whole, axis=1))
    assert head.predict(embeddings).dtype == np.int64
    assert head.range_of_logits(embeddings) == pytest.approx((whole.min(), whole.max()))


def test_probabilities_of_huge_logits_are_finite_and_add_up() -> None:
    head = Head(np.array([[1e30, -1e30]], np.float32), np.zeros(2, np.float32))
    probabilities = head.predict_proba(np.array([[1.0], [-1.0], [0.0]], np.float32))
    assert probabilities.tolist() == [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]


def test_shapes_that_do_not_fit_are_rejected() -> None:
    weights, bias = np.zeros((2, 3), np.float32), np.zeros(3, np.float32)
    with pytest.raises(ValueError, match='weights has shape'):
        Head(bias, bias)
    with pytest.raises(ValueError, match='bias has shape'):
        Head(weights, bias[:2])
    with pytest.raises(ValueError, match='2 labels were given for 3 classes'):
        Head(weights, bias, ('a', 'b'))
