# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What happens to an exception of a callback: it is explained or logged, and the node goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import time
import traceback
from typing import Any

from edgetpu_retrain.errors import RetrainError
from edgetpu_retrain.wording import one_line, presentable, quoted, sentence
from rclpy.node import Node

# Limits the CPU time and the log of a permanent failure.
_AFTER_AN_ERROR_S = 0.1


def explain(node: Node, error: Exception) -> str:
    """
    Return the exception that is being handled as a sentence; log its traceback if it is a bug.

    Args:
        node: logs.
        error: the exception.
    """
    if isinstance(error, (RetrainError, FileNotFoundError)):
        return presentable(sentence(error))
    log_traceback(node.get_logger())
    return f'Internal error, see the log of the node: {quoted(repr(error))}.'


def log_traceback(logger: Any) -> None:
    """Log the exception that is being handled, in printable lines."""
    logger.error('\n'.join(map(one_line, traceback.format_exc().splitlines())))


@contextmanager
def logged_errors(node: Node) -> Iterator[None]:
    """
    Log what a callback raises inside the ``with`` block, and do not raise it.

    rclpy's executors raise what any callback raises: of a timer, a subscription, a service, an
    action, or after a change of parameters.  One bug would end the node.

    Args:
        node: logs.
    """
    try:
        yield
    except Exception:  # noqa: BLE001 - a bug must not end a robot's node
        # After a signal has shut down ROS, calls of rclpy fail.
        if node.context.ok():
            log_traceback(node.get_logger())
            time.sleep(_AFTER_AN_ERROR_S)
