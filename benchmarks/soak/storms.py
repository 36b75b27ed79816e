# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
What the clients of ``benchmarks/soak`` do, one function a client, called again and again.

All of it ends where it began: what is taught is taken away again, so that samples and models stay
as many as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.shared.pictures import jpeg, pictures
from benchmarks.soak.client import Client, full_name, PEER, QUICK, SECONDS_TO_A_MESSAGE, SLOW
from benchmarks.soak.peer import PEER_SERVICE
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
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage, RegionOfInterest
from std_srvs.srv import Trigger
from vision_msgs.msg import Classification, LabelInfo, VisionInfo

KEPT_MODELS = 5
# Somebody else has undone what this one was about to change.
_GONE = ('There are no samples', 'There is no sample ')
_TAUGHT_BETWEEN_REMOVALS = 8
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
    """Have one camera's frames captured all along."""
    label = 'soak capture'
    client.ask(AddSample, 'add_samples', answer_kind=SLOW, label=label, camera='raw', count=3)
    if number % _TAUGHT_BETWEEN_REMOVALS == _TAUGHT_BETWEEN_REMOVALS - 1:
        client.ask(RemoveSamples, 'remove_samples', may_say=_GONE, label=label)
    client.rest(0.6)


def capture_a_part(client: Client, number: int) -> None:
    """Have parts of any camera's frames captured, those that are new."""
    label = 'soak part'
    roi = RegionOfInterest(x_offset=10 * (number % 5), y_offset=20, width=300, height=300)
    asked: dict[str, Any] = {
        'label': label,
        'count': 2,
        'min_interval_s': 0.1,
        'min_novelty': 0.05,
        'roi': roi,
    }
    client.ask(AddSample, 'add_samples', answer_kind=SLOW, **asked)
    if number % _TAUGHT_BETWEEN_REMOVALS == _TAUGHT_BETWEEN_REMOVALS - 1:
        client.ask(RemoveSamples, 'remove_samples', may_say=_GONE, label=label)
    client.rest(1.0)


class Pictures:
    """Sends pictures of its own, lists them and takes them away."""

    def __init__(self) -> None:
        self._pictures = [jpeg(each) for each in pictures(320, 240)]

    def __call__(self, client: Client, number: int) -> None:
        """Send one picture."""
        label = 'soak picture'
        image = CompressedImage(format='jpeg')
        image.data = self._pictures[number % len(self._pictures)]
        client.ask(AddSample, 'add_samples', answer_kind=SLOW, label=label, image=image)
        client.ask(ListSamples, 'list_samples', may_say=_GONE, label=label, limit=20)
        if number % 3 == 2:
            client.ask(RemoveSamples, 'remove_samples', may_say=_GONE, label=label, n=3)
        client.rest(0.8)


def correct(client: Client, number: int) -> None:
    """Teach the wrong thing, and correct it in each way that there is."""
    wrong, right = 'soak wrong', 'soak right'
    asked: dict[str, Any] = {'label': wrong, 'camera': 'compressed', 'count': 2}
    # That camera is let go for a moment now and then.
    no_camera = ("There is no camera 'compressed'", 'Time is up')
    client.ask(AddSample, 'add_samples', answer_kind=SLOW, may_say=no_camera, **asked)
    told = client.ask(ListSamples, 'list_samples', may_say=_GONE, label=wrong, limit=2)
    if ids := [sample.id for sample in told.samples]:
        _relabel(client, right, ids=ids[:1])
    _relabel(client, right, label=wrong)
    client.ask(Trigger, 'undo')
    if number % 4 == 3:
        client.ask(RemoveSamples, 'remove_samples', may_say=_GONE, label=right)
    if number % 20 == 19:
        client.ask(
            Trigger, 'reembed_samples', answer_kind=SLOW, may_say=('there is nothing to do',)
        )
    client.rest(0.8)


def swap(client: Client, number: int) -> None:
    """Go back and forth between the versions of the model."""
    newest = client.ask(LoadModel, 'load_model', answer_kind=SLOW, version=0).model_version
    client.rest(1.5)
    client.ask(LoadModel, 'load_model', answer_kind=SLOW, version=-1)
    client.rest(1.5)
    other = newest - 1 - number % (KEPT_MODELS - 2)
    client.ask(LoadModel, 'load_model', answer_kind=SLOW, version=other)
    client.rest(1.5)


def come_and_go(client: Client, number: int) -> None:
    """Listen to topics, each until something comes."""
    listened = [_TOPICS[(3 * number + offset) % len(_TOPICS)] for offset in range(3)]
    heard: set[str] = set()
    subscriptions = [
        client.node.create_subscription(
            kind,
            full_name(topic),
            lambda _, topic=topic: heard.add(topic),
            qos,
        )
        for kind, topic, qos in listened
    ]
    topics = {topic for _, topic, _ in listened}
    if not client.spin_until(lambda: heard == topics, SECONDS_TO_A_MESSAGE):
        # Whoever is told to end hears nothing more.
        if not client.is_stopping:
            client.record.error(f'nothing came on {", ".join(sorted(topics - heard))}')
    else:
        client.record.count('topics heard')
    client.spin_until(lambda: False, 0.5)
    for subscription in subscriptions:
        client.node.destroy_subscription(subscription)
    client.rest(0.5)


def set_parameters(client: Client, number: int) -> None:
    """Read parameters and states, change what can be changed, and let a camera go."""
    client.ask(GetState, 'get_state')
    client.ask(GetAvailableStates, 'get_available_states')
    names = client.ask(ListParameters, 'list_parameters').result.names
    client.ask(DescribeParameters, 'describe_parameters', names=names)
    client.ask(GetParameters, 'get_parameters', names=names)
    _set(client, 'smoothing_frames', 1 + number % 3)
    _set(client, 'max_results', number % 2)
    client.rest(0.25)
    if number % 20 == 19:
        _set(client, 'compressed.active', value=False)
        client.rest(0.5)
        _set(client, 'compressed.active', value=True)


def ask_the_impossible(client: Client, _number: int) -> None:
    """Ask for what has to be refused."""
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
        # That a model is not there is told when the one before it is loaded.
        answer_kind = SLOW if kind is LoadModel else QUICK
        client.ask(kind, service, must_fail=True, answer_kind=answer_kind, **fields)
        client.rest(0.05)


def ask_the_peer(client: Client, _number: int) -> None:
    """Ask the node that only answers, about as often as the others ask theirs."""
    client.ask(Trigger, PEER_SERVICE, answer_kind=PEER)
    client.rest(0.05)


@dataclass(frozen=True)
class Storm:
    """
    What a client does.

    Args:
        name: of its node.
        act: what it does, given the number of times it did so before.
        rounds_a_life: after how many it leaves DDS and comes again; 0 = it stays.
    """

    name: str
    act: Callable[[Client, int], None]
    rounds_a_life: int = 0


def storms(training_period_s: float) -> list[Storm]:
    """Return the eight clients of the services, who trains, and who asks the peer."""
    return [
        Storm('capture_one_camera', capture_one_camera),
        Storm('capture_a_part', capture_a_part),
        Storm('pictures', Pictures()),
        Storm('correct', correct),
        Storm('swap', swap),
        Storm('come_and_go', come_and_go, rounds_a_life=10),
        Storm('set_parameters', set_parameters),
        Storm('ask_the_impossible', ask_the_impossible, rounds_a_life=40),
        Storm('trainer', Trainer(training_period_s)),
        Storm('ask_the_peer', ask_the_peer),
    ]


def _relabel(client: Client, new_label: str, **which: Any) -> None:
    asked = {'new_label': new_label, **which}
    client.ask(RelabelSamples, 'relabel_samples', may_say=_GONE, **asked)


def _set(client: Client, name: str, value: Any) -> None:
    if isinstance(value, bool):
        content = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=value)
    else:
        content = ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=value)
    given = Parameter(name=name, value=content)
    (result,) = client.ask(SetParameters, 'set_parameters', parameters=[given]).results
    if not result.successful:
        client.record.error(f'{name} was not set to {value}: {result.reason}')


def _garbage() -> CompressedImage:
    image = CompressedImage(format='jpeg')
    image.data = b'no picture'
    return image
