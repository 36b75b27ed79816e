# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Which classifications are uncertain."""

from __future__ import annotations

from typing import Any

from edgetpu_retrain.node.questions.doubt import doubt, MIN_MARGIN
import numpy as np
import pytest

SURE, EVEN, BACKGROUND = (0.9, 0.06, 0.04), (0.45, 0.44, 0.11), (0.02, 0.03, 0.95)


@pytest.mark.parametrize(
    ('scores', 'options', 'why'),
    [
        (SURE, {}, None),
        (SURE, {'unlike_all': True}, 'unknown'),
        (SURE, {'unknown_below': 0.95}, 'unknown'),
        (SURE, {'unknown_below': 0.85}, None),
        (EVEN, {}, 'margin'),
        (EVEN, {'unlike_all': True}, 'unknown'),
        # The background is published as unknown, but that is no doubt.
        (BACKGROUND, {'background': 2}, None),
        (BACKGROUND, {'background': 2, 'unknown_below': 0.99}, None),
        (BACKGROUND, {'background': 2, 'unlike_all': True}, 'unknown'),
        ((0.05, 0.48, 0.47), {'background': 2}, 'margin'),
        ((0.6, 0.6 - MIN_MARGIN), {}, None),
        ((1.0,), {}, None),
    ],
)
def test_a_classification_is_uncertain(
    scores: tuple[float, ...], options: dict[str, Any], why: str | None
) -> None:
    values = {'unlike_all': False, **options}
    assert doubt(np.array(scores, np.float64), **values) == why
