# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""RetryingSampleStore: the samples of a robot that goes on while it cannot get at them."""

from __future__ import annotations

from edgetpu_retrain.store.samples.sample_store import SampleStore


class RetryingSampleStore(SampleStore):
    """
    A :class:`SampleStore` whose file need not be usable yet.

    Each method tries to open a file that could not be opened before and, while that fails,
    raises what :class:`SampleStore` raises when it is made: a robot whose samples are damaged
    goes on to classify, and learns again once somebody has moved the file away.

    Args:
        path: the SQLite file, created (with its folder) when it is not there.
        is_ending: asked while another program holds the file: whether to wait no longer.
    """

    _must_open = False
