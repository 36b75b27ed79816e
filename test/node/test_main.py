# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program: what it refuses to start with, and how it ends."""

from __future__ import annotations

import hashlib
from pathlib import Path
import signal
from typing import Any

from edgetpu_retrain.store.samples.sample_store import SampleStore
from edgetpu_retrain_interfaces.msg import Status
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from support.running_node import image_message, pattern, Person, RunningNode
from support.small_models import build_extractor

LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)

REFUSED = [
    ({'num_iter': -1}, 'parameter num_iter must be a whole number from 0 to 1000000'),
    ({'num_iter': 'many'}, 'parameter num_iter must be a whole number from 0 to 1000000'),
    ({'learning_rate': 1}, 'parameter learning_rate must be a number with a decimal point'),
    ({'learning_rate': '.nan'}, 'parameter learning_rate must be a number with a decimal point'),
    ({'num_threads': 0}, 'parameter num_threads must be a whole number from 1 to 64'),
    ({'seed': -1}, 'parameter seed must be a whole number from 0'),
    ({'sample_timeout_s': -1.0}, 'parameter sample_timeout_s must be a number'),
    ({'cameras': '[]'}, 'parameter cameras has no value'),
    ({'cameras': 'left'}, 'parameter cameras must be a list of texts'),
    ({'cameras': '[a, a]'}, 'cameras is a, a: each name must be there once'),
    ({'camera.image_transport': 'theora'}, "is 'theora': set it to raw or compressed"),
    ({'camera.image_topic': '"a b"'}, "image_topic is 'a b': set it to the name of a topic"),
    ({'qos_overrides./image.subscription.reliability': 'perfect'}, "is 'perfect': set it to"),
    ({'device': 'gpu'}, "device is 'gpu'; it must be 'auto', 'cpu', 'usb'"),
    ({'extractor': '/no/such/file'}, "there is no model file '/no/such/file'"),
    ({'data_dir': '"/tmp/a\\nb"'}, "data_dir is '/tmp/a\\nb': use printable characters only"),
    ({'data_dir': '/proc/nowhere'}, 'Cannot create the data folder /proc/nowhere'),
]


@pytest.mark.parametrize(('parameters', 'words'), REFUSED)
def test_what_cannot_work_leaves_it_not_started_with_one_sentence(
    start_node: Any, person: Person, parameters: dict[str, object], words: str
) -> None:
    node: RunningNode = start_node(parameters)
    line = node.wait_for_log(words)
    assert '[ERROR]' in line
    node.wait_for_log(': correct that and restart the node')
    person.wait_until_ready()
    assert person.state in ('unconfigured', 'inactive')
    status = person.collect(Status, 'status', LATCHED).wait_for(lambda each: each.problems)
    assert words in ' '.join(status.problems)
    assert words in person.list_samples().message
    assert not any('Traceback' in line for line in node.log)
    assert node.end() == 0


def test_an_invalid_parameter_can_be_set_to_a_valid_value(start_node: Any, person: Person) -> None:
    node: RunningNode = start_node({'num_iter': -1, 'camera.max_detections': 'many'})
    node.wait_for_log('the node stays unconfigured')
    person.wait_until_ready()
    assert not person.change_state('configure')
    assert not person.set_parameter('num_iter', -2).successful
    # The default value is one, too.
    assert person.set_parameter('num_iter', 0).successful
    assert not person.change_state('configure')
    assert person.set_parameter('camera.max_detections', 5).successful
    assert person.change_state('configure')
    assert person.change_state('activate')
    assert person.list_samples().success


def test_a_line_break_in_ros_home_makes_no_second_line_in_the_log(
    start_node: Any, tmp_path: Path
) -> None:
    home = tmp_path / 'a\n[FATAL] b'
    node: RunningNode = start_node({'data_dir': '""'}, environment={'ROS_HOME': str(home)})
    node.wait_until_ready()
    assert node.wait_for_log('0 samples in ').endswith('a\\n[FATAL] b/edgetpu_retrain')


def test_ros_arguments_that_cannot_be_read_end_it_with_a_sentence(start_node: Any) -> None:
    node: RunningNode = start_node({}, ['--params-file', '/no/such/file.yaml'])
    assert node.wait() == 1
    assert '/no/such/file.yaml' in '\n'.join(node.log)
    assert not any('Traceback' in line for line in node.log)


@pytest.mark.parametrize('enclave', ['no_such', 'empty'])
def test_an_enclave_without_keys_ends_it_with_a_sentence(
    start_node: Any, tmp_path: Path, enclave: str
) -> None:
    (tmp_path / 'keystore' / 'enclaves' / 'empty').mkdir(parents=True)
    security = {
        'ROS_SECURITY_KEYSTORE': str(tmp_path / 'keystore'),
        'ROS_SECURITY_ENABLE': 'true',
        'ROS_SECURITY_STRATEGY': 'Enforce',
    }
    node: RunningNode = start_node({}, ['--enclave', f'/{enclave}'], security)
    assert node.wait() == 1
    words = 'cannot join its ROS domain' if enclave == 'empty' else "no_such' does not exist"
    assert words in node.log[-1]
    assert not any('Traceback' in line for line in node.log)


def test_a_compiled_extractor_without_an_edge_tpu_says_so(start_node: Any, tmp_path: Path) -> None:
    compiled = tmp_path / 'compiled_edgetpu.tflite'
    compiled.write_bytes(build_extractor('uint8', compiled=True))
    node: RunningNode = start_node({'extractor': compiled})
    assert 'Edge TPU' in node.wait_for_log('[ERROR]')


def test_a_requested_edge_tpu_for_an_uncompiled_extractor_is_a_warning(start_node: Any) -> None:
    node: RunningNode = start_node({'device': 'usb'})
    line = node.wait_for_log('is not compiled for the Edge TPU and runs on the CPU')
    assert '[WARN]' in line
    node.wait_until_ready()


@pytest.mark.parametrize('moment', ['runs on', 'reads /image', 'ready'])
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_at_a_signal(
    start_node: Any, number: signal.Signals, moment: str
) -> None:
    node: RunningNode = start_node()
    node.wait_for_log(moment)
    assert node.end(number) == 0
    assert not any('Traceback' in line for line in node.log)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_in_the_middle_of_everything(
    start_node: Any, person: Person, tmp_path: Path, number: signal.Signals
) -> None:
    node: RunningNode = start_node()
    camera = person.wait_until_ready().camera()
    person.teach(
        camera, {'cat': image_message(pattern(1)), 'dog': image_message(pattern(2))}, count=2
    )
    person.train(num_iter=10)
    goal = person.start_training(num_iter=1_000_000, print_every=1)
    goal.feedback.next_one()
    person.add_later('cat', count=1000, min_interval_s=0.01)
    person.classifications.next_one()
    assert node.end(number) == 0
    assert not any('Traceback' in line for line in node.log), '\n'.join(node.log)
    with SampleStore(tmp_path / 'data' / 'samples.db') as store:
        assert sum(store.counts(extractor=_identity(node)).values()) >= 4


def _identity(node: RunningNode) -> str:
    line = next(line for line in node.log if 'runs on' in line)
    path = line.split('extractor ')[1].split(' runs on')[0]
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
