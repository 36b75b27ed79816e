# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Input that ``fit`` rejects, and the error messages."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.learning import fit, Head
import numpy as np
import pytest

EMBEDDINGS = np.random.default_rng(0).random((20, 4)).astype(np.float32)
QUANTIZED = np.arange(80, dtype=np.uint8).reshape(20, 4)
LABELS = np.arange(20) % 2


def with_value(value: float) -> np.ndarray[Any, Any]:
    changed = EMBEDDINGS.copy()
    changed[3, 1] = value
    return changed


def head(dim: int, classes: int, value: float = 0.0) -> Head:
    return Head(np.full((dim, classes), value, np.float32), np.zeros(classes, np.float32))


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        ({'embeddings': with_value(np.nan)}, r'embeddings holds nan at \[3, 1\]'),
        ({'embeddings': with_value(np.inf)}, r'embeddings holds inf at \[3, 1\]'),
        ({'embeddings': with_value(1e30)}, 'embeddings holds values up to 1e'),
        ({'embeddings': EMBEDDINGS[0]}, r'embeddings has shape \(4,\)'),
        ({'embeddings': EMBEDDINGS[:0]}, r'embeddings has shape \(0, 4\)'),
        ({'embeddings': QUANTIZED}, 'scale is None, but embeddings has dtype uint8'),
        ({'embeddings': QUANTIZED, 'scale': 0.1}, 'zero_point is None'),
        ({'embeddings': QUANTIZED, 'scale': 0.0, 'zero_point': 0}, 'scale is 0.0'),
        ({'embeddings': QUANTIZED, 'scale': np.nan, 'zero_point': 0}, 'scale is nan'),
        ({'embeddings': QUANTIZED, 'scale': 1e38, 'zero_point': 0}, 'scale is 1e[+]38'),
        ({'embeddings': QUANTIZED, 'scale': 0.1, 'zero_point': 256}, 'zero_point is 256'),
        ({'embeddings': QUANTIZED, 'scale': 0.1, 'zero_point': -1}, 'zero_point is -1'),
        ({'embeddings': QUANTIZED, 'scale': 0.1, 'zero_point': 0.5}, 'zero_point is 0.5'),
        ({'embeddings': QUANTIZED[0], 'scale': 0.1, 'zero_point': 0}, r'has shape \(4,\)'),
        ({'scale': 0.1}, 'scale is 0.1, but embeddings has dtype float32'),
        ({'zero_point': 3}, 'zero_point is 3, but embeddings has dtype float32'),
        ({'labels': LABELS[:19]}, 'labels has 19 entries; there must be 20'),
        ({'labels': LABELS.astype(np.float32)}, 'labels has dtype float32'),
        ({'labels': LABELS - 1}, 'labels holds class -1'),
        ({'labels': LABELS, 'num_classes': 3}, 'labels holds no sample of class 2'),
        ({'labels': 2 * LABELS}, 'labels holds no sample of class 1'),
        ({'labels': LABELS * 10**12}, 'labels holds no sample of class 1'),
        ({'labels': LABELS, 'num_classes': 1}, 'num_classes is 1'),
        ({'labels': LABELS + 1, 'num_classes': 2}, 'labels holds class 2'),
        ({'labels': LABELS * 0}, 'samples of 2 or more classes'),
        ({'num_iter': 0}, 'num_iter is 0'),
        ({'num_iter': 1.5}, 'num_iter is 1.5'),
        ({'learning_rate': 0.0}, 'learning_rate is 0.0'),
        ({'learning_rate': np.inf}, 'learning_rate is inf'),
        ({'batch_size': 0}, 'batch_size is 0'),
        ({'batch_size': 2**40}, 'batch_size'),
        ({'reg': -0.1}, 'reg is -0.1'),
        ({'seed': -1}, 'seed is -1'),
        ({'rejection_rate': 1.0}, 'rejection_rate is 1.0'),
        ({'rejection_rate': -0.1}, 'rejection_rate is -0.1'),
        ({'report_every': 0}, 'report_every is 0'),
        ({'initial': 'head'}, 'initial is a str'),
        ({'initial': head(5, 2)}, 'initial is a head for embeddings of length 5'),
        ({'initial': head(4, 3), 'num_classes': 2}, 'initial has 3 classes'),
        ({'initial': head(4, 3)}, 'labels holds no sample of class 2'),
        ({'initial': head(4, 2, np.nan)}, 'the weights of initial holds nan'),
    ],
)
def test_bad_input_is_rejected_by_name(arguments: dict[str, Any], sentence: str) -> None:
    def never(*_: Any) -> bool:
        raise AssertionError('work began before the input was checked')

    given = {'embeddings': EMBEDDINGS, 'labels': LABELS, 'callback': never, **arguments}
    with pytest.raises(ValueError, match=sentence):
        fit(given.pop('embeddings'), given.pop('labels'), **given)
