# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A client that has a wrong name, receives no response, or whose program receives a signal."""

from __future__ import annotations

import re
import threading
from typing import Any

from edgetpu_retrain.client import connection as connection_module
from edgetpu_retrain.client.connection import Connection, RetrainClientError
from edgetpu_retrain.client.retrain_client import RetrainClient
from edgetpu_retrain.errors import RequestError
from lifecycle_msgs.srv import GetState
import pytest
import rclpy
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future
from rclpy.waitable import NumberOfEntities, Waitable
from std_srvs.srv import Trigger
from support.late_node import LateNode
from support.lone_node import LoneNode
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


def is_empty(client: RetrainClient) -> bool:
    """Return whether a client stores no requests."""
    connection = client._connection
    stored = [connection._state, *connection._clients.values()]
    return not connection._pending and not any(each._pending_requests for each in stored)


def test_requests_without_a_response_are_not_stored_for_ever() -> None:
    with RetrainClient(name='/nobody', timeout_s=0.1) as client:
        for _ in range(3):
            with pytest.raises(RetrainClientError, match='is it running'):
                client.lifecycle_state()
        wait_until(lambda: is_empty(client))


class HalfNode(LoneNode):
    """Responds to ``get_state`` at once, and to ``undo`` when ``may_respond`` is set."""

    def __init__(self) -> None:
        super().__init__('half_node')
        self.may_respond = Future()
        group = {'callback_group': ReentrantCallbackGroup()}
        self.node.create_service(GetState, '~/get_state', lambda _, response: response, **group)
        self.node.create_service(Trigger, '~/undo', self._respond, **group)
        self.spin_in_a_thread()

    async def _respond(self, _: Any, response: Any) -> Any:
        await self.may_respond
        response.success = True
        return response


def test_a_node_that_responds_late_to_each_request_responds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_module, '_RETRY_S', 0.05)
    with (
        LateNode('late_node', GetState, '~/get_state'),
        RetrainClient(name='/late_node', timeout_s=PATIENCE_S) as client,
    ):
        assert client.lifecycle_state() == ''
        wait_until(lambda: is_empty(client))


def test_a_response_after_the_timeout_is_ignored() -> None:
    node = HalfNode()
    try:
        with RetrainClient(name='/half_node', timeout_s=PATIENCE_S) as client:
            asked = client.call_async(Trigger, 'undo')
            with pytest.raises(RetrainClientError, match='undo did not respond within 0 s'):
                client._connection.wait(asked, 'undo', 0.0)
            wait_until(lambda: is_empty(client))
            node.may_respond.set_result(None)
            assert client.undo() == ''
            wait_until(lambda: is_empty(client))
    finally:
        node.close()


def test_samples_are_not_awaited_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    node = HalfNode()
    try:
        with RetrainClient(name='/half_node', timeout_s=PATIENCE_S) as client:
            # A node that was killed and started again never responds to the request.
            asked = client.call_async(Trigger, 'undo')
            monkeypatch.setattr(client, 'add_samples_async', lambda *_, **_fields: asked)
            client._connection.timeout_s = 0.0
            with pytest.raises(RetrainClientError, match='add_samples did not respond within 0 s'):
                client.add_samples('cup', timeout_s=0.3)
    finally:
        node.close()
