# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Versions of other programs that the node cannot let serve, with a real store and node."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.node.health.status import NodeStatus
from edgetpu_retrain.node.models.model_following import ModelFollowing
from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_store import ModelStore
import pytest
from support.lone_node import LoneNode
from support.model_robot import MODEL, RECORD, Robot


class Following(LoneNode):
    """What looks for models of other programs, and a robot that is to load them."""

    def __init__(self, folder: Path) -> None:
        super().__init__('following')
        self.status = NodeStatus(self.node)
        self.robot = Robot(folder)
        self.versions = self.robot.versions()
        self.following = ModelFollowing(self.node, self.status)
        self.other_program = ModelStore(folder)

    @property
    def problems(self) -> str:
        return ' '.join(self.status.facts.problems.values())

    def look(self, follow: bool = True) -> None:
        """Look once, and wait for what comes of it."""
        parameters = SimpleNamespace(follow_models=follow)
        parts: Any = SimpleNamespace(versions=self.versions, parameters=parameters)
        self.following.check_for_changes(parts)
        if self.following._work is not None:
            wait([self.following._work])

    def close(self) -> None:
        self.following.stop()
        super().close()


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Following]:
    following = Following(tmp_path / 'models')
    yield following
    following.close()


@pytest.mark.parametrize('follow', [True, False])
def test_a_version_that_cannot_serve_is_reported_and_the_previous_one_used(
    following: Following, follow: bool
) -> None:
    following.other_program.save(MODEL, RECORD)
    following.other_program.save(MODEL, replace(RECORD, extractor='b' * 64))
    following.look(follow)
    assert 'model version 2 of another program does not serve: ' in following.problems
    assert following.robot.served == ([1] if follow else [])
    assert following.status.facts.pending_model_version == (0 if follow else 1)
    # It is looked at again only when something has changed, and then well.
    following.other_program.save(MODEL, RECORD)
    following.look(follow)
    assert following.problems == ''
    assert following.robot.served == ([1, 3] if follow else [])
    assert following.status.facts.pending_model_version == (0 if follow else 3)


def test_an_unreadable_choice_is_reported_until_it_can_be_read(
    following: Following, capfd: pytest.CaptureFixture[str]
) -> None:
    following.other_program.save(MODEL, RECORD)
    ChoiceFile(following.other_program).choose(1)
    files = [
        following.other_program.folder / name for name in ('serving.json', 'serving.copy.json')
    ]
    whole = files[0].read_bytes()
    for file in files:
        file.write_bytes(b'{')
    for _ in range(2):
        following.look()
    assert 'serving.json is damaged' in following.problems
    assert capfd.readouterr().err.count('is damaged') == 1, 'once is enough'
    for file in files:
        file.write_bytes(whole)
    following.look()
    assert following.problems == ''
    assert following.robot.served == [1]


def test_a_node_that_was_deactivated_checks_again_when_it_is_active(following: Following) -> None:
    following.other_program.save(MODEL, RECORD)
    following.robot.ended = True
    following.look()
    assert following.robot.served == []
    assert following.problems == ''
    following.robot.ended = False
    ChoiceFile(following.other_program).choose(1)
    following.look()
    assert following.problems == ''


def test_a_bug_is_reported_and_the_serving_model_continues(
    following: Following, capfd: pytest.CaptureFixture[str]
) -> None:
    def prepare(_model: bytes) -> dict[str, PreparedModel]:
        raise KeyError('a bug')

    following.versions = following.robot.versions(prepare=prepare)
    following.other_program.save(MODEL, RECORD)
    following.look()
    assert 'Internal error, see the log of the node: "KeyError(\'a bug\')"' in following.problems
    assert "raise KeyError('a bug')" in capfd.readouterr().err
    following.versions = following.robot.versions()
    following.other_program.save(MODEL, RECORD)
    following.look()
    assert following.robot.served == [2]
