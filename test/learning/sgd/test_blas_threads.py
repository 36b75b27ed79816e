# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import sys

from edgetpu_retrain.learning.sgd import blas_threads
from edgetpu_retrain.learning.sgd.blas_threads import one_blas_thread
import pytest
from threadpoolctl import threadpool_info, threadpool_limits


def threads() -> list[int]:
    return [pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas']


def test_one_thread_inside_and_as_many_as_before_outside() -> None:
    with threadpool_limits(2, 'blas'):
        before = threads()
        if max(before, default=1) < 2:
            pytest.skip('this BLAS has a single thread anyway')
        with one_blas_thread():
            assert set(threads()) == {1}
        assert threads() == before
        with pytest.raises(KeyError), one_blas_thread():
            raise KeyError
        assert threads() == before


def test_without_threadpoolctl_training_continues_and_warns_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, 'threadpoolctl', None)
    blas_threads._controller.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            for _ in range(2):
                with one_blas_thread():
                    pass
    finally:
        blas_threads._controller.cache_clear()
    assert len(caplog.records) == 1
    assert 'install it with "pip install threadpoolctl"' in caplog.text
