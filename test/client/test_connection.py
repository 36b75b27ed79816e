# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A client whose program receives a signal, which shuts ROS down at any time."""

from __future__ import annotations

import re
import threading
from typing import Any

from edgetpu_retrain.client.connection import Connection
from edgetpu_retrain.errors import RequestError
import pytest
import rclpy
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.waitable import NumberOfEntities, Waitable
from support.waiting import PATIENCE_S, wait_until


class Signal(Waitable):  # type: ignore[misc]
    """Shuts ROS down when an executor is about to wait, as a signal may."""

    def __init__(self, context: Any) -> None:
        super().__init__(ReentrantCallbackGroup())
        self._context = context

    # From Kilted on, an executor enters what it waits for.
    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def get_num_entities(self) -> NumberOfEntities:
        rclpy.try_shutdown(context=self._context)
        return NumberOfEntities()

    def add_to_wait_set(self, _wait_set: Any) -> None:
        pass

    def is_ready(self, _wait_set: Any) -> bool:
        return False


def test_a_shutdown_before_its_thread_waits_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[object] = []
    monkeypatch.setattr(threading, 'excepthook', errors.append)
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('program', context=context)
    connection = Connection(node, 'edgetpu_retrain', PATIENCE_S)
    connection.node.add_waitable(Signal(context))
    connection.start()
    connection._thread.join(PATIENCE_S)
    assert not connection._thread.is_alive()
    assert errors == []
    connection.stop()
    connection.close()
    node.destroy_node()


@pytest.mark.parametrize('name', ['', 'a b', 'robot/', '/', '//robot', '1'])
def test_a_name_that_no_node_can_have_is_rejected(name: str) -> None:
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('program', context=context)
    words = f'the name of the retrain node is {name!r}: give the name of a node'
    with pytest.raises(RequestError, match=re.escape(words)):
        Connection(node, name, PATIENCE_S)
    wait_until(lambda: 'program_client' not in node.get_node_names())
    node.destroy_node()
    rclpy.shutdown(context=context)
