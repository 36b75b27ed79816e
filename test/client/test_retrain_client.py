# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The client for other programs, with a real node in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import re
import signal
from typing import Any

from action_msgs.msg import GoalStatus
from edgetpu_retrain.client import RetrainClient, RetrainClientError
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import pytest
from std_srvs.srv import Trigger
from support.lone_node import LoneNode
from support.robot_camera import Camera
from support.robot_messages import compressed_message, image_message, pattern
from support.running_node import Person, RunningNode
from support.small_models import build_extractor
from support.waiting import Collected, PATIENCE_S, wait_for, wait_until

pytestmark = pytest.mark.usefixtures('measured_processes')

NAME = '/robots/one/teacher'
PICTURES = {'cat': image_message(pattern(1)), 'dog': image_message(pattern(2))}


@pytest.fixture(scope='module')
def node(package_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    folder = tmp_path_factory.mktemp('robot')
    (folder / 'small.tflite').write_bytes(build_extractor('uint8', dimension=16, image_size=16))
    parameters = {'extractor': folder / 'small.tflite', 'data_dir': folder / 'data'}
    arguments = ['-r', f'__node:={Path(NAME).name}', '-r', f'__ns:={Path(NAME).parent}']
    with RunningNode(package_path, parameters, arguments) as running:
        yield running


@pytest.fixture
def own_node() -> Iterator[LoneNode]:
    """Return a node of the user's program, in the namespace of the retrain node."""
    created = LoneNode('program', namespace=str(Path(NAME).parent))
    yield created
    created.close()


@pytest.fixture
def person() -> Iterator[Person]:
    """Return the person at the robot, who has its camera."""
    with Person(NAME) as person:
        yield person


@pytest.fixture
def camera(person: Person) -> Camera:
    return person.camera('/robots/one/image')


@pytest.fixture
def robot(node: RunningNode, person: Person, camera: Camera) -> Iterator[RetrainClient]:
    assert node.process.poll() is None
    with RetrainClient(name=NAME, timeout_s=PATIENCE_S) as client:
        client.wait_until_ready(PATIENCE_S)
        person.show(camera, PICTURES['cat'])
        yield client
        for label in client.list_samples():
            client.remove_samples(label, forever=True)


@pytest.fixture
def teach(robot: RetrainClient, person: Person, camera: Camera) -> Callable[..., None]:
    """Return what teaches the client's robot both pictures."""

    def add_samples(count: int = 6) -> None:
        for label, picture in PICTURES.items():
            person.show(camera, picture)
            assert robot.add_samples(label, count, min_novelty=-1.0).added == count

    return add_samples


def is_best(label: str, version: int) -> Callable[[Any], bool]:
    return lambda result: (
        result.model_version == version and result.classification.results[0].class_id == label
    )


def test_two_classes_are_taught_trained_and_recognized(
    robot: RetrainClient, camera: Camera, teach: Callable[..., None]
) -> None:
    results: Collected[Any] = Collected()
    # What a callback raises neither ends the client nor the callbacks after it.
    robot.on_result(lambda result: result.no_such_field)
    robot.on_result(results.append)
    teach()
    assert robot.list_samples() == {'cat': 6, 'dog': 6}
    training = robot.train(num_iter=300, learning_rate=0.1, print_every=50)
    iterations = [feedback.iteration for feedback in training]
    assert len(iterations) > 1
    assert iterations == sorted(iterations)
    assert training.is_done
    result = training.result()
    assert training.status == GoalStatus.STATUS_SUCCEEDED
    assert list(result.labels) == ['cat', 'dog']
    assert result.validation_accuracy == 1.0
    version = result.model_version
    for label, picture in PICTURES.items():
        camera.show(picture)
        results.wait_for(is_best(label, version), since=len(results))
    assert robot.wait_for_result().camera == 'camera'
    assert robot.result.model_version == version
    wait_until(lambda: robot.status.model_version == version)
    assert robot.load_model(version).model_version == version


def test_a_request_that_the_node_refuses_raises_its_message(robot: RetrainClient) -> None:
    with pytest.raises(RetrainClientError, match=r"'a/b'"):
        robot.add_samples('a/b')
    with pytest.raises(RetrainClientError, match='no model version 99'):
        robot.load_model(99)
    with pytest.raises(RetrainClientError, match='class'):
        robot.train(num_iter=10).result()
    with pytest.raises(RetrainClientError, match='min_novelty'):
        robot.set_parameter('min_novelty', 3.0)
    robot.set_parameter('min_novelty', 0.0)
    with pytest.raises(RetrainClientError, match='failed') as refused:
        robot.call(ChangeState, 'change_state', transition=Transition(label='activate'))
    assert not refused.value.response.success


def test_the_error_has_all_that_the_node_responded(robot: RetrainClient) -> None:
    with pytest.raises(RetrainClientError, match='Time is up') as refused:
        robot.add_samples('cat', 1000, min_interval_s=0.5, timeout_s=5.0, min_novelty=-1.0)
    response = refused.value.response
    assert 1 <= response.added < 1000
    assert response.label_total == response.added


def test_a_cancelled_training_says_so(robot: RetrainClient, teach: Callable[..., None]) -> None:
    teach()
    training = robot.train(num_iter=1_000_000, print_every=10)
    next(iter(training))
    assert not training.is_done
    assert training.status == GoalStatus.STATUS_EXECUTING
    training.cancel()
    with pytest.raises(RetrainClientError, match='cancel'):
        training.result(90.0)
    assert training.status == GoalStatus.STATUS_CANCELED


def test_samples_are_corrected(robot: RetrainClient, teach: Callable[..., None]) -> None:
    teach(count=3)
    (newest,) = robot.newest_samples(1)
    assert newest.label == 'dog'
    assert newest.id == robot.newest_samples(9, 'dog')[0].id
    assert robot.relabel_samples('mouse', label='dog').relabelled == 3
    assert robot.remove_samples('cat', n=1).removed == 1
    assert robot.list_samples() == {'cat': 2, 'mouse': 3}
    assert robot.undo() == "Undid the removal of 1 sample of 'cat'."
    assert robot.list_samples() == {'cat': 3, 'mouse': 3}
    assert robot.redo() == "Redid the removal of 1 sample of 'cat'."
    assert robot.remove_samples('cat', forever=True).removed == 3
    assert robot.undo() == "Undid the relabelling of 3 samples of 'dog' to 'mouse'."
    assert robot.list_samples() == {'dog': 3}


def test_a_picture_of_the_program_is_a_sample(robot: RetrainClient) -> None:
    import cv2

    png = cv2.imencode('.png', pattern(3))[1].tobytes()
    future = robot.add_samples_async('bird', image=compressed_message(png, 'png'))
    assert future.result(90.0).added == 1


@pytest.mark.usefixtures('robot', 'camera')
def test_it_works_in_a_callback_of_the_programs_own_node(own_node: LoneNode) -> None:
    with RetrainClient(own_node.node, Path(NAME).name) as client:

        def callback(_request: Any, response: Any) -> Any:
            client.add_samples('cat', 2, min_novelty=-1.0)
            response.message = str(client.list_samples())
            return response

        own_node.node.create_service(Trigger, 'teach', callback)
        asking = own_node.node.create_client(Trigger, 'teach')
        own_node.spin_in_a_thread()
        assert asking.wait_for_service(90.0)
        assert wait_for(asking.call_async(Trigger.Request())).message == "{'cat': 2}"


def test_the_example_of_the_documentation_teaches_two_classes(
    package_path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / 'docs' / 'client.md').read_text(encoding='utf-8')
    (example,) = re.findall(r'```python\n(.*?)```', page, re.DOTALL)
    (tmp_path / 'small.tflite').write_bytes(build_extractor('uint8', dimension=16, image_size=16))
    parameters = {
        'extractor': tmp_path / 'small.tflite',
        'data_dir': tmp_path / 'data',
        # The camera stands still.
        'min_novelty': -1.0,
    }
    pictures = iter((image_message(pattern(9)), *PICTURES.values()))
    with RunningNode(package_path, parameters), Person() as person:
        camera = person.camera()

        def show_next(_prompt: str) -> str:
            person.show(camera, next(pictures))
            return ''

        exec(compile(example, 'docs/client.md', 'exec'), {'input': show_next})  # noqa: S102
        printed = capsys.readouterr().out
    assert 'iteration' in printed
    assert "20 samples of 'background' added." in printed
    assert printed.splitlines()[-1] == 'bottle'


def test_a_node_that_ends_fails_what_waits_for_it(
    package_path: str, tmp_path: Path, own_node: LoneNode
) -> None:
    (tmp_path / 'small.tflite').write_bytes(build_extractor('uint8'))
    parameters = {'extractor': tmp_path / 'small.tflite', 'data_dir': tmp_path / 'data'}
    with (
        RunningNode(package_path, parameters) as node,
        RetrainClient(own_node.node, '/edgetpu_retrain', timeout_s=10.0) as client,
        ThreadPoolExecutor() as thread,
    ):
        client.wait_until_ready(PATIENCE_S)
        with pytest.raises(RetrainClientError, match='has no no_such_service'):
            client.call(Trigger, 'no_such_service')
        blocked = thread.submit(client.add_samples, 'cat', timeout_s=600.0)
        waiting = client.add_samples_async('cat', timeout_s=600.0)
        node.end(signal.SIGKILL)
        with pytest.raises(RetrainClientError, match=r'not running|does not respond'):
            blocked.result(PATIENCE_S)
        with pytest.raises(RetrainClientError, match='does not respond'):
            client.list_samples()
        assert not waiting.done()
    with pytest.raises(RetrainClientError, match='closed'):
        waiting.result(PATIENCE_S)


def test_a_missing_node_is_named() -> None:
    with (
        RetrainClient(name='/nobody') as client,
        pytest.raises(RetrainClientError, match='/nobody does not respond'),
    ):
        client.wait_until_ready(0.5)
