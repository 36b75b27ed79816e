# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Two robots on one machine: nodes of the same name in two namespaces, without any data_dir."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from edgetpu_retrain_interfaces.msg import Result
from support.running_node import image_message, pattern, Person, RunningNode

ROBOTS = ('robot1', 'robot2')
ROUNDS = 3
CLASSIFICATIONS = 300


def taught_by(robot: str, lesson: int) -> dict[str, int]:
    """Return the classes of a round, which no other robot has, with their patterns."""
    seed = 100 * ROBOTS.index(robot)
    return {f'{robot}_thing{n}': seed + n for n in range(2 * (lesson + 1))}


def class_of(result: Result) -> str:
    return str(result.classification.results[0].class_id)


def is_classified_as(name: str, version: int, result: Result) -> bool:
    return bool(result.model_version == version and class_of(result) == name)


def live(robot: str, person: Person) -> None:
    """Teach, train and use three models, one after the other."""
    camera = person.wait_until_ready().camera(f'/{robot}/image')
    results = person.collect(Result, 'result', 100)
    for lesson in range(ROUNDS):
        classes = taught_by(robot, lesson)
        new = dict(list(classes.items())[-2:])
        person.teach(camera, {name: image_message(pattern(seed)) for name, seed in new.items()})
        _, trained = person.train(num_iter=300, learning_rate=0.1)
        assert trained.success, trained.message
        assert trained.model_version == lesson + 1
        assert sorted(trained.labels) == sorted(classes)
        for name, seed in classes.items():
            camera.show(image_message(pattern(seed)))
            since = len(results)
            results.wait_for(partial(is_classified_as, name, lesson + 1), since=since)
        for _ in range(CLASSIFICATIONS):
            results.next_one()
    last = set(taught_by(robot, ROUNDS - 1))
    assert {class_of(each) for each in results} <= {*last, 'unknown'}


def test_two_robots_teach_train_and_serve_side_by_side(
    package_path: str, small_extractor: Path, tmp_path: Path
) -> None:
    parameters = {'extractor': small_extractor}
    home = {'ROS_HOME': str(tmp_path)}
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(
                RunningNode(package_path, parameters, ['-r', f'__ns:=/{robot}'], home)
            )
            for robot in ROBOTS
        ]
        people = [stack.enter_context(Person(f'/{robot}/edgetpu_retrain')) for robot in ROBOTS]
        for robot, node in zip(ROBOTS, nodes, strict=True):
            node.wait_for_log(f'0 samples in {tmp_path}/edgetpu_retrain/{robot}/edgetpu_retrain')
            node.wait_until_ready()
        with ThreadPoolExecutor(len(ROBOTS)) as threads:
            list(threads.map(live, ROBOTS, people))
        for robot, person in zip(ROBOTS, people, strict=True):
            listed = person.list_samples()
            assert dict(zip(listed.labels, listed.counts, strict=True)) == dict.fromkeys(
                taught_by(robot, ROUNDS - 1), 6
            )
        for node in nodes:
            assert node.end() == 0
            assert not any('Traceback' in line or '[ERROR]' in line for line in node.log)


def test_a_node_with_a_namespace_names_the_folder_of_earlier_samples(
    package_path: str, small_extractor: Path, tmp_path: Path
) -> None:
    parameters = {'extractor': small_extractor}
    home = {'ROS_HOME': str(tmp_path)}
    before = tmp_path / 'edgetpu_retrain'
    namespace = ['-r', '__ns:=/robot1']
    with RunningNode(package_path, parameters, environment=home) as node, Person() as person:
        node.wait_for_log(f'0 samples in {before}')
        camera = person.wait_until_ready().camera()
        person.teach(camera, {'cat': image_message(pattern(1))})
        # Its owner may keep them.
        with RunningNode(package_path, parameters, ['-r', '__node:=front'], home) as other:
            other.wait_until_ready()
            assert not [line for line in other.log if 'data_dir:=' in line]
    for is_new in (True, False):
        with RunningNode(package_path, parameters, namespace, home) as node:
            node.wait_until_ready()
        hints = [line for line in node.log if 'data_dir:=' in line]
        assert len(hints) == is_new
        assert all(f'to keep them, start it with data_dir:={before}' in line for line in hints)
    kept = {**parameters, 'data_dir': before}
    with RunningNode(package_path, kept, namespace, home) as node:
        node.wait_for_log(f'6 samples in {before}')
