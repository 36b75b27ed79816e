# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from edgetpu_retrain.page.access import rates
from edgetpu_retrain.page.access.rates import Rates
from edgetpu_retrain.page.refused import RefusedError
import pytest


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_client_has_a_number_of_requests_at_once_and_more_as_time_passes() -> None:
    clock = Clock()
    bucket = Rates(2.0, 3, clock)
    for _ in range(3):
        bucket.take('phone')
    with pytest.raises(RefusedError, match='2 requests a second') as refused:
        bucket.take('phone')
    assert refused.value.status == 429
    bucket.take('another')
    clock.now = 0.5
    bucket.take('phone')
    with pytest.raises(RefusedError):
        bucket.take('phone')
    clock.now = 1000.0
    for _ in range(3):
        bucket.take('phone')
    with pytest.raises(RefusedError):
        bucket.take('phone')


def test_the_number_of_clients_that_are_remembered_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, 'MAX_CLIENTS', 5)
    bucket = Rates(1.0, 1, Clock())
    for client in range(100):
        bucket.take(str(client))
    assert len(bucket._buckets) == 5
