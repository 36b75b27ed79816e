# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Clears the frames of tracebacks, which keep local variables in memory."""

from __future__ import annotations

import traceback


def clear_frames(error: BaseException | None) -> None:
    """
    Clear the traceback frames of a reported exception and of its causes.

    A future refers to its exception, the exception to the frames of all calls that it passed
    through, and one of these frames to the future.  Without clearing, pictures and models in the
    frames stay in memory until the garbage collector finds this cycle.

    Args:
        error: a caught exception, or None.
    """
    cleared: set[int] = set()
    # Causes can form a cycle, as in 'raise error from error'.
    while error is not None and id(error) not in cleared:
        cleared.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
