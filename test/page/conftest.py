# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A retrain node with a camera, and its page, for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.page_program import PageProgram

if TYPE_CHECKING:  # tests of who may what need no ROS
    from support.running_node import Person, RunningNode


@pytest.fixture(scope='session')
def page_extractor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of an extractor that takes no time."""
    from support.small_models import build_extractor

    path = tmp_path_factory.mktemp('extractor') / 'small.tflite'
    path.write_bytes(build_extractor('uint8', dimension=16, image_size=16))
    return path


@pytest.fixture(scope='module')
def node(
    package_path: str, page_extractor: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningNode]:
    """Return a node that stores near copies, too: its camera does not move."""
    parameters = {
        'extractor': page_extractor,
        'data_dir': tmp_path_factory.mktemp('robot') / 'data',
        'min_novelty': -1.0,
    }
    from support.running_node import RunningNode

    with RunningNode(package_path, parameters) as running:
        yield running


@pytest.fixture(scope='module')
def page(package_path: str) -> Iterator[PageProgram]:
    """Return the page."""
    with PageProgram(package_path) as running:
        yield running


@pytest.fixture(scope='module')
def person(node: RunningNode) -> Iterator[Person]:
    """Return the person at the robot, who has its camera."""
    from support.robot_messages import image_message, pattern
    from support.running_node import Person

    node.wait_until_ready()
    with Person() as present:
        present.show(present.camera(), image_message(pattern(1)))
        yield present
