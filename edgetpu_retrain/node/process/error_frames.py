# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What an error keeps alive, and how to let it go."""

from __future__ import annotations

import traceback


def release_frames(error: BaseException | None) -> None:
    """
    Let go of all that the calls behind an error worked with; for when its words were taken.

    A future keeps the error that ended it, the error the frames of all calls that it went
    through, and one of these the future: pictures and whole models would stay in memory until
    Python next looks for such circles.

    Args:
        error: has been caught; None = there is none.
    """
    released: set[int] = set()
    # 'raise error from error' makes a circle of its own.
    while error is not None and id(error) not in released:
        released.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
