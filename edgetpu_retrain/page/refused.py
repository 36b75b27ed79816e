# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""RefusedError: raised if the page's server refuses a request."""

from __future__ import annotations

from edgetpu_retrain.errors import RetrainError


class RefusedError(RetrainError):
    """
    A request or WebSocket message was refused.

    Args:
        status: HTTP status, 400 to 599.
        message: what was wrong and what the user can do, in one sentence.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
