# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The workloads of the soak test's clients, each a function that is called repeatedly.

They remove the samples that they add, so that the numbers of samples and models stay the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.shared.pictures import jpeg, pictures
from benchmarks.shared.robot import NAME
from benchmarks.soak.client import Client, PEER, QUICK, SECONDS_TO_A_MESSAGE, SLOW
from benchmarks.soak.peer import PEER_NODE
from benchmarks.soak.trainer import Trainer
from diagnostic_msgs.msg import DiagnosticArray
from edgetpu_retrain_interfaces.msg import Embedding, Result, Status
from edgetpu_retrain_interfaces.srv import (
    AddSample,
    ListSamples,
    LoadModel,
    RelabelSamples,
    RemoveSamples,
)
from lifecycle_msgs.srv import GetAvailableStates, GetState
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage, RegionOfInterest
from std_srvs.srv import Trigger
from vision_msgs.msg import Classification, LabelInfo, VisionInfo

KEPT_MODELS = 5
# Another client has changed these samples at the same time.
_GONE = ('There are no samples', 'There is no sample ')
_CAPTURES_BETWEEN_REMOVALS = 8
# The cameras show few pictures, so most frames are near copies.
_ALL_FRAMES = {'min_novelty': -1.0}
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_TOPICS: tuple[tuple[type, str, Any], ...] = (
    (Result, 'result', 10),
    (Classification, 'classification', 10),
    (Embedding, 'embedding', 10),
    (CompressedImage, 'raw/annotated/compressed', 10),
    (Status, 'status', _LATCHED),
    (Classification, 'raw/classification', 10),
    (VisionInfo, 'vision_info', _LATCHED),
    (Classification, 'compressed/classification', 10),
    (CompressedImage, 'compressed/annotated/compressed', 10),
    (LabelInfo, 'label_info', _LATCHED),
    (DiagnosticArray, '/diagnostics', 10),
)


def capture_one_camera(client: Client, number: int) -> None:
    """Capture frames of one camera."""
    label = 'soak capture'
    fields: dict[str, Any] = {'label': label, 'camera': 'raw', 'count': 3, **_ALL_FRAMES}
    client.call(AddSample, 'add_samples', response_kind=SLOW, **fields)
    if number % _CAPTURES_BETWEEN_REMOVALS == _CAPTURES_BETWEEN_REMOVALS - 1:
        client.call(RemoveSamples, 'remove_samples', allowed_errors=_GONE, label=label)
    client.pause(0.6)


def capture_a_part(client: Client, number: int) -> None:
    """Capture novel regions of frames of all cameras."""
    label = 'soak part'
    roi = RegionOfInterest(x_offset=10 * (number % 5), y_offset=20, width=300, height=300)
    fields: dict[str, Any] = {
        'label': label,
        'count': 2,
        'min_interval_s': 0.1,
        'min_novelty': 0.05,
        'timeout_s': 3.0,
        'roi': roi,
    }
    client.call(AddSample, 'add_samples', response_kind=SLOW, **fields)
    if number % _CAPTURES_BETWEEN_REMOVALS == _CAPTURES_BETWEEN_REMOVALS - 1:
        client.call(RemoveSamples, 'remove_samples', allowed_errors=_GONE, label=label)
    client.pause(1.0)


class Pictures:
    """Adds pictures of its own as samples, lists and removes them."""

    def __init__(self) -> None:
        self._pictures = [jpeg(each) for each in pictures(320, 240)]

    def __call__(self, client: Client, number: int) -> None:
        """Add one picture."""
        label = 'soak picture'
        image = CompressedImage(format='jpeg')
        image.data = self._pictures[number % len(self._pictures)]
        fields: dict[str, Any] = {'label': label, 'image': image, **_ALL_FRAMES}
        client.call(AddSample, 'add_samples', response_kind=SLOW, **fields)
        client.call(ListSamples, 'list_samples', allowed_errors=_GONE, label=label, limit=20)
        if number % 3 == 2:
            client.call(RemoveSamples, 'remove_samples', allowed_errors=_GONE, label=label, n=3)
        client.pause(0.8)


def correct(client: Client, number: int) -> None:
    """Add samples with a wrong label, and correct them in all ways."""
    wrong, right = 'soak wrong', 'soak right'
    fields: dict[str, Any] = {'label': wrong, 'camera': 'compressed', 'count': 2, **_ALL_FRAMES}
    # Another client deactivates this camera at times.
    no_camera = (
        'The node does not listen to camera compressed',
        "There is no camera 'compressed'",
        'Time is up',
    )
    client.call(AddSample, 'add_samples', response_kind=SLOW, allowed_errors=no_camera, **fields)
    listed = client.call(ListSamples, 'list_samples', allowed_errors=_GONE, label=wrong, limit=2)
    if ids := [sample.id for sample in listed.samples]:
        _relabel(client, right, ids=ids[:1])
    _relabel(client, right, label=wrong)
    client.call(Trigger, 'undo')
    # Another client may have made a change meanwhile.
    client.call(Trigger, 'redo', allowed_errors=('There is nothing to redo',))
    if number % 4 == 3:
        client.call(RemoveSamples, 'remove_samples', allowed_errors=_GONE, label=right)
    if number % 20 == 19:
        client.call(
            Trigger,
            'reembed_samples',
            response_kind=SLOW,
            allowed_errors=('there is nothing to do',),
        )
    client.pause(0.8)


def swap(client: Client, number: int) -> None:
    """Switch between versions of the model."""
    newest = client.call(LoadModel, 'load_model', response_kind=SLOW, version=0).model_version
    client.pause(1.5)
    client.call(LoadModel, 'load_model', response_kind=SLOW, version=-1)
    client.pause(1.5)
    other = newest - 1 - number % (KEPT_MODELS - 2)
    client.call(LoadModel, 'load_model', response_kind=SLOW, version=other)
    client.pause(1.5)


def subscribe_briefly(client: Client, number: int) -> None:
    """Subscribe to topics until each has published a message."""
    chosen = [_TOPICS[(3 * number + offset) % len(_TOPICS)] for offset in range(3)]
    received: set[str] = set()
    subscriptions = [
        client.node.create_subscription(
            kind,
            topic if topic.startswith('/') else f'{NAME}/{topic}',
            lambda _, topic=topic: received.add(topic),
            qos,
        )
        for kind, topic, qos in chosen
    ]
    topics = {topic for _, topic, _ in chosen}
    if not client.spin_until(lambda: received == topics, SECONDS_TO_A_MESSAGE):
        # A client that is stopping receives no more messages.
        if not client.is_stopping:
            client.error(f'no message on {", ".join(sorted(topics - received))}')
    else:
        client.record.counts['topics received'] += 1
    client.spin_until(lambda: False, 0.5)
    for subscription in subscriptions:
        client.node.destroy_subscription(subscription)
    client.pause(0.5)


def set_parameters(client: Client, number: int) -> None:
    """Read parameters and states, change parameters, and deactivate a camera at times."""
    client.call(GetState, 'get_state')
    client.call(GetAvailableStates, 'get_available_states')
    names = client.call(ListParameters, 'list_parameters').result.names
    client.call(DescribeParameters, 'describe_parameters', names=names)
    client.call(GetParameters, 'get_parameters', names=names)
    _set(client, 'smoothing_frames', 1 + number % 3)
    _set(client, 'max_results', number % 2)
    client.pause(0.25)
    if number % 20 == 19:
        _set(client, 'compressed.active', value=False)
        client.pause(0.5)
        _set(client, 'compressed.active', value=True)


def send_bad_requests(client: Client, _number: int) -> None:
    """Send requests that the node must reject."""
    bad: tuple[tuple[type, str, dict[str, Any]], ...] = (
        (AddSample, 'add_samples', {'label': '../etc'}),
        (AddSample, 'add_samples', {'label': 'x', 'count': 100_000}),
        (AddSample, 'add_samples', {'label': 'x', 'camera': 'nobody'}),
        (AddSample, 'add_samples', {'label': 'x', 'timeout_s': float('nan')}),
        (AddSample, 'add_samples', {'label': 'x', 'image': _garbage()}),
        (RemoveSamples, 'remove_samples', {'label': 'never taught'}),
        (RemoveSamples, 'remove_samples', {}),
        (RelabelSamples, 'relabel_samples', {'label': 'never taught', 'new_label': 'x'}),
        (RelabelSamples, 'relabel_samples', {'ids': [2**60], 'new_label': 'x'}),
        (ListSamples, 'list_samples', {'label': 'never taught'}),
        (LoadModel, 'load_model', {'version': 1_000_000}),
        (LoadModel, 'load_model', {'version': -7}),
    )
    for kind, service, fields in bad:
        # The response comes only after the model before it has been loaded.
        response_kind = SLOW if kind is LoadModel else QUICK
        client.call(kind, service, must_reject=True, response_kind=response_kind, **fields)
        client.pause(0.05)


def call_the_peer(client: Client, _number: int) -> None:
    """Call the peer node about as often as other clients call the node under test."""
    client.call(Trigger, 'respond', response_kind=PEER)
    client.pause(0.05)


@dataclass(frozen=True)
class Workload:
    """
    What one client does.

    Args:
        name: name of the client.
        act: called repeatedly with the client and the number of earlier calls.
        calls_per_session: calls after which the client leaves DDS and joins again; 0 = never.
        robot: full name of the node that it calls.
    """

    name: str
    act: Callable[[Client, int], None]
    calls_per_session: int = 0
    robot: str = NAME


def workloads(training_period_s: float) -> list[Workload]:
    """Return the workloads of all clients: eight, the trainer, and that of the peer."""
    return [
        Workload('capture_one_camera', capture_one_camera),
        Workload('capture_a_part', capture_a_part),
        Workload('pictures', Pictures()),
        Workload('correct', correct),
        Workload('swap', swap),
        Workload('subscribe_briefly', subscribe_briefly, calls_per_session=10),
        Workload('set_parameters', set_parameters),
        Workload('send_bad_requests', send_bad_requests, calls_per_session=40),
        Workload('trainer', Trainer(training_period_s)),
        Workload('call_the_peer', call_the_peer, robot=PEER_NODE),
    ]


def _relabel(client: Client, new_label: str, **which: Any) -> None:
    fields = {'new_label': new_label, **which}
    client.call(RelabelSamples, 'relabel_samples', allowed_errors=_GONE, **fields)


def _set(client: Client, name: str, value: Any) -> None:
    given = Parameter(name, value=value).to_parameter_msg()
    (result,) = client.call(SetParameters, 'set_parameters', parameters=[given]).results
    if not result.successful:
        client.error(f'{name} was not set to {value}: {result.reason}')


def _garbage() -> CompressedImage:
    image = CompressedImage(format='jpeg')
    image.data = b'no picture'
    return image
