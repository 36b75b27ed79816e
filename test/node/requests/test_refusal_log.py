# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.node.requests.refusal_log import MOST_A_SECOND, RefusalLog


def test_a_flood_of_refusals_is_counted() -> None:
    refusals = RefusalLog()
    told = [refusals.line('no', now=each / 1000) for each in range(1000)]
    assert told == ['no'] * MOST_A_SECOND + [None] * (1000 - MOST_A_SECOND)
    assert refusals.line('no', now=1.0) == 'no (990 other requests were refused before)'
    assert refusals.line('no', now=1.0) == 'no'
