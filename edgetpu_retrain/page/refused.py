# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""RefusedError: a request of a browser that the page's server does not serve, and why."""

from __future__ import annotations

from edgetpu_retrain.errors import RetrainError


class RefusedError(RetrainError):
    """
    A request that is not served.

    Args:
        status: HTTP status, 400 to 599.
        message: what was wrong and what to do, one sentence.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
