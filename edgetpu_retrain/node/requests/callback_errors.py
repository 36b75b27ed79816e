# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Explains or logs the exceptions of callbacks, so that the node continues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import time
import traceback
from typing import Any

from edgetpu_retrain.errors import RetrainError, TOO_LITTLE_MEMORY
from edgetpu_retrain.wording import one_line, presentable, quoted, sentence
from rclpy.node import Node

FOR_THE_USER = (RetrainError, FileNotFoundError)
"""Exceptions with a message for the user, which :func:`explain` does not log."""

# Pause after an error, so that a permanent failure does not use all CPU time or flood the log.
_AFTER_AN_ERROR_S = 0.1


def explain(node: Node, error: Exception) -> str:
    """
    Return a sentence about an exception.

    A lack of memory is logged, and so is the traceback of an unexpected exception.  The caller
    logs the others, :data:`FOR_THE_USER`.

    Args:
        node: its logger is used.
        error: the exception that is being handled.
    """
    if isinstance(error, FOR_THE_USER):
        return presentable(sentence(error))
    if isinstance(error, MemoryError):
        node.get_logger().error(TOO_LITTLE_MEMORY)
        return sentence(TOO_LITTLE_MEMORY)
    log_traceback(node.get_logger())
    return f'Internal error, see the log of the node: {quoted(repr(error))}.'


def log_traceback(logger: Any) -> None:
    """Log the exception that is being handled, in printable lines."""
    logger.error('\n'.join(map(one_line, traceback.format_exc().splitlines())))


@contextmanager
def logged_errors(node: Node) -> Iterator[None]:
    """
    Log an exception that the ``with`` block raises, and suppress it.

    An executor of rclpy re-raises the exception of any callback, for example of a timer or a
    service, so one bug would end the node.

    Args:
        node: its logger is used.
    """
    try:
        yield
    except Exception:  # noqa: BLE001 - a bug must not end a robot's node
        # After a signal has shut ROS down, calls to rclpy fail.
        if node.context.ok():
            log_traceback(node.get_logger())
            time.sleep(_AFTER_AN_ERROR_S)
