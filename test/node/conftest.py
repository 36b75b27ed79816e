# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot for the tests: small extractor, fresh folder, and a person who talks to its node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
import contextlib
import os
from pathlib import Path
import shutil
from typing import Any

import pytest
from support.edgetpu_stand_in import build_edgetpu_stand_in
from support.running_node import Person, RunningNode, TAUGHT, TAUGHT_IMAGES
from support.small_models import build_extractor

StartNode = Callable[..., RunningNode]


@pytest.fixture(scope='session')
def small_extractor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of an extractor that takes no time."""
    path = tmp_path_factory.mktemp('extractor') / 'small.tflite'
    path.write_bytes(build_extractor('uint8', dimension=16, image_size=16))
    return path


@contextlib.contextmanager
def starter(package_path: str, extractor: Path, data_dir: Path) -> Iterator[StartNode]:
    """Start nodes on one data folder; those that still run are ended."""
    with contextlib.ExitStack() as running:

        def start(
            parameters: Mapping[str, object] | None = None,
            arguments: Sequence[str] = (),
            environment: Mapping[str, str] | None = None,
            **options: Any,
        ) -> RunningNode:
            values = {'extractor': extractor, 'data_dir': data_dir, **(parameters or {})}
            node = RunningNode(package_path, values, arguments, environment, **options)
            return running.enter_context(node)

        yield start


@pytest.fixture
def start_node(package_path: str, small_extractor: Path, tmp_path: Path) -> Iterator[StartNode]:
    """Start a node on a fresh data folder, with further parameters and arguments."""
    with starter(package_path, small_extractor, tmp_path / 'data') as start:
        yield start


@pytest.fixture(scope='session')
def taught_folder(
    package_path: str, small_extractor: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a data folder with ``TAUGHT`` samples a class and two versions of a model."""
    folder = tmp_path_factory.mktemp('taught') / 'data'
    with starter(package_path, small_extractor, folder) as start, Person() as person:
        start().wait_until_ready()
        person.teach(person.wait_until_ready().camera(), TAUGHT_IMAGES, count=TAUGHT)
        for _ in range(2):
            assert person.train(num_iter=100, learning_rate=0.1)[1].success
    return folder


@pytest.fixture
def taught_data(taught_folder: Path, tmp_path: Path) -> Path:
    """Return the data folder that ``start_node`` uses, with what ``taught_folder`` has."""
    return Path(shutil.copytree(taught_folder, tmp_path / 'data'))


@pytest.fixture
def person() -> Iterator[Person]:
    """Return somebody who talks to the node, and has cameras."""
    with Person() as person:
        yield person


@pytest.fixture(scope='module')
def shared_node(
    package_path: str, small_extractor: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningNode]:
    """Return a node that all tests of a module share; none of them may start another."""
    data_dir = tmp_path_factory.mktemp('data')
    with starter(package_path, small_extractor, data_dir) as start:
        yield start().wait_until_ready()


@pytest.fixture(scope='module')
def shared_person(shared_node: RunningNode) -> Iterator[Person]:
    """Return somebody who talks to the shared node."""
    assert shared_node.process.poll() is None
    with Person() as person:
        yield person.wait_until_ready()


@pytest.fixture(scope='session')
def edgetpu_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a stand-in for Coral's library."""
    return build_edgetpu_stand_in(tmp_path_factory.mktemp('edgetpu'))


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[str], None]:
    """Return what tells the stand-in how to behave from now on; '' = well."""

    def write(behaviour: str) -> None:
        new = tmp_path / 'behaviour.new'
        new.write_text(behaviour)
        new.replace(tmp_path / 'behaviour')

    write('')
    return write


@pytest.fixture
def start_edgetpu(
    start_node: StartNode, edgetpu_library: Path, tmp_path: Path
) -> Callable[..., RunningNode]:
    """Return what starts a node with an Edge TPU, with or without a fallback."""
    compiled, twin = tmp_path / 'compiled_edgetpu.tflite', tmp_path / 'compiled.tflite'
    compiled.write_bytes(build_extractor('uint8', dimension=16, image_size=16, compiled=True))
    twin.write_bytes(build_extractor('uint8', dimension=16, image_size=16))
    environment = {
        'LD_LIBRARY_PATH': f'{edgetpu_library.parent}:{os.environ.get("LD_LIBRARY_PATH", "")}',
        'EDGETPU_STAND_IN': f'@{tmp_path / "behaviour"}',
    }

    def start(*, fallback: bool = True, **given: object) -> RunningNode:
        parameters: dict[str, object] = {
            'extractor': compiled,
            # A busy machine takes its time for an inference of microseconds.
            'invoke_timeout_s': 2.0,
            **given,
        }
        if fallback:
            parameters['fallback_extractor'] = twin
        return start_node(parameters, environment=environment)

    return start
