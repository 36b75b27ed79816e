# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Calls the services of a retrain node over DDS."""

from __future__ import annotations

import contextlib
from typing import Any

from edgetpu_retrain_interfaces.srv import (
    AddSample,
    ListSamples,
    LoadModel,
    RelabelSamples,
    RemoveSamples,
)
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger
from support.lone_node import LoneNode
from support.waiting import PATIENCE_S, wait_for


class ServiceClient(LoneNode):
    """
    A ROS node in this process with a client for each service of a retrain node.

    Args:
        name: of this node.
        retrain_node: full name of the retrain node.
    """

    def __init__(self, name: str, retrain_node: str) -> None:
        super().__init__(name, enable_rosout=False)
        self.retrain_node = retrain_node
        self._clients: dict[str, Any] = {}
        self._add = self.node.create_client(AddSample, f'{retrain_node}/add_samples')
        self._remove = self.node.create_client(RemoveSamples, f'{retrain_node}/remove_samples')
        self._list = self.node.create_client(ListSamples, f'{retrain_node}/list_samples')
        self._load = self.node.create_client(LoadModel, f'{retrain_node}/load_model')
        self._relabel = self.node.create_client(RelabelSamples, f'{retrain_node}/relabel_samples')
        self._triggers = {
            name: self.node.create_client(Trigger, f'{retrain_node}/{name}')
            for name in ('undo', 'redo', 'reembed_samples')
        }
        self._change = self.node.create_client(ChangeState, f'{retrain_node}/change_state')
        self._state = self.node.create_client(GetState, f'{retrain_node}/get_state')

    def wait_for_services(self) -> None:
        """Wait until the node responds to requests."""
        for client in self.node.clients:
            assert client.wait_for_service(timeout_sec=PATIENCE_S)
        self._wait_until_discovered()

    def client(self, service_type: type, name: str) -> Any:
        """
        Return a client that the node has discovered.

        Args:
            service_type: of the service.
            name: of the service, relative to the node.
        """
        if name not in self._clients:
            client = self.node.create_client(service_type, f'{self.retrain_node}/{name}')
            assert client.wait_for_service(timeout_sec=PATIENCE_S)
            self._wait_until_discovered()
            self._clients[name] = client
        return self._clients[name]

    def _wait_until_discovered(self) -> None:
        """
        Wait until the node can respond to all clients that exist now.

        A response is lost if the node has not discovered the client's reader yet.  DDS announces
        readers reliably and in the order of their creation, so a node that responds to the newest
        client can respond to all.
        """
        newest = self.node.create_client(GetState, f'{self.retrain_node}/get_state')
        assert newest.wait_for_service(timeout_sec=PATIENCE_S)
        for patience_s in (1.0, 2.0, 5.0, 15.0, PATIENCE_S):
            with contextlib.suppress(TimeoutError):
                wait_for(newest.call_async(GetState.Request()), patience_s)
                return
        raise TimeoutError('the node does not respond to ~/get_state')

    def set_parameter(self, name: str, value: object) -> Any:
        """Set one parameter and return the result."""
        parameter = Parameter(name, value=value).to_parameter_msg()
        request = SetParameters.Request(parameters=[parameter])
        client = self.client(SetParameters, 'set_parameters')
        return wait_for(client.call_async(request)).results[0]

    def add_later(self, label: str, **fields: Any) -> Any:
        """Request samples and return the future of the response."""
        # The node's own time limit is for an idle machine.
        wanted = {'label': label, 'timeout_s': PATIENCE_S / 2, **fields}
        return self._add.call_async(AddSample.Request(**wanted))

    def add(self, label: str, **fields: Any) -> Any:
        """Request samples and return the response."""
        return wait_for(self.add_later(label, **fields))

    def remove(self, label: str = '', n: int = 0, *, forever: bool = False) -> Any:
        """Remove samples and return the response."""
        request = RemoveSamples.Request(label=label, n=n, forever=forever)
        return wait_for(self._remove.call_async(request))

    def list_samples(self, **fields: Any) -> Any:
        """Return the response of ~/list_samples."""
        return wait_for(self._list.call_async(ListSamples.Request(**fields)))

    def relabel_later(self, new_label: str, **fields: Any) -> Any:
        """Request another label and return the future of the response."""
        return self._relabel.call_async(RelabelSamples.Request(new_label=new_label, **fields))

    def relabel(self, new_label: str, **fields: Any) -> Any:
        """Relabel samples and return the response."""
        return wait_for(self.relabel_later(new_label, **fields))

    def trigger(self, name: str) -> Any:
        """Return the response of ~/undo, ~/redo or ~/reembed_samples."""
        return wait_for(self._triggers[name].call_async(Trigger.Request()))

    def load_model_later(self, version: int) -> Any:
        """Request a version and return the future of the response."""
        return self._load.call_async(LoadModel.Request(version=version))

    def load_model(self, version: int) -> Any:
        """Load a version and return the response."""
        return wait_for(self.load_model_later(version))

    def change_state(self, transition: str | int) -> bool:
        """Request a transition, by name or id, and return whether it succeeded."""
        request = ChangeState.Request()
        if isinstance(transition, int):
            request.transition.id = transition
        else:
            request.transition.label = transition
        return bool(wait_for(self._change.call_async(request)).success)

    @property
    def state(self) -> str:
        """State of the node's lifecycle."""
        return str(wait_for(self._state.call_async(GetState.Request())).current_state.label)
