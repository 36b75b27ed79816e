# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0

from edgetpu_retrain.runtime.engines.back_off import BackOff


def test_each_failure_doubles_the_wait_up_to_a_minute() -> None:
    back_off = BackOff()
    waits = [back_off.failed(100.0) - 100.0 for _ in range(9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_lasting_success_resets_the_delay() -> None:
    back_off = BackOff()
    for _ in range(4):
        back_off.failed(0.0)
    back_off.succeeded(10.0)
    assert back_off.failed(70.0) == 71.0
    assert back_off.failed(71.0) == 73.0


def test_a_short_success_does_not_reset_the_delay() -> None:
    back_off = BackOff()
    for _ in range(4):
        back_off.failed(0.0)
    back_off.succeeded(10.0)
    assert back_off.failed(69.0) == 69.0 + 16
    assert back_off.failed(1000.0) == 1000.0 + 32
