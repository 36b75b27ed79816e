# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Clears the frames of a traceback, which keep the variables of all calls alive."""

from __future__ import annotations

import traceback


def clear_frames(error: BaseException | None) -> None:
    """
    Clear the traceback frames of an exception after reporting it, also those of its causes.

    A future refers to its exception, the exception to the frames of all calls that it passed
    through, and one of these to the future, so that pictures and models stay in memory until the
    garbage collector finds the cycle.

    Args:
        error: a caught exception, or None.
    """
    cleared: set[int] = set()
    # 'raise error from error' is a cycle.
    while error is not None and id(error) not in cleared:
        cleared.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
