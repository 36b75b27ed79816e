# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Versions of other programs that the node cannot let serve, with a real store and node."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import wait
from dataclasses import replace
import fcntl
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from edgetpu_retrain.errors import DeviceError, ModelFileError
from edgetpu_retrain.node.health.status import NodeStatus
from edgetpu_retrain.node.models.model_following import ModelFollowing
from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.store.files import lock_wait
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_store import ModelStore
import pytest
from support.lone_node import LoneNode
from support.model_robot import MODEL, RECORD, Robot
from support.permissions import without


class Following(LoneNode):
    """What looks for models of other programs, and a robot that is to load them."""

    def __init__(self, folder: Path, retry_period_s: float = math.inf) -> None:
        super().__init__('following')
        self.status = NodeStatus(self.node)
        self.robot = Robot(folder)
        self.versions = self.robot.versions()
        self.following = ModelFollowing(self.node, self.status, retry_period_s=retry_period_s)
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


@pytest.fixture
def retrying(tmp_path: Path) -> Iterator[Following]:
    """Return one that tries again at each look."""
    retrying = Following(tmp_path / 'models', retry_period_s=0.0)
    yield retrying
    retrying.close()


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


def test_what_fails_for_a_while_is_tried_again(
    retrying: Following, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lock_wait, 'PATIENCE_S', 0.1)
    retrying.other_program.save(MODEL, RECORD)
    with (retrying.other_program.folder / '.lock').open('ab') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        for _ in range(2):
            retrying.look()
    assert 'another program writes there: wait for it or end it. The node' in retrying.problems
    assert 'The node tries again every 0 s.' in retrying.problems
    assert capfd.readouterr().err.count('another program writes there') == 1, 'once is enough'
    assert retrying.robot.served == []
    retrying.look()
    assert retrying.robot.served == [1]
    assert retrying.problems == ''


@pytest.mark.parametrize('error', [DeviceError('it is busy'), MemoryError()])
def test_a_version_that_fails_for_a_while_serves_later_although_an_older_one_serves(
    retrying: Following, error: Exception
) -> None:
    failures = [error]

    def prepare(model: bytes) -> dict[str, PreparedModel]:
        if failures:
            raise failures.pop()
        return retrying.robot.prepare(model)

    retrying.versions = retrying.robot.versions(prepare=prepare)
    for record in (RECORD, RECORD, replace(RECORD, extractor='b' * 64)):
        retrying.other_program.save(MODEL, record)
    retrying.look()
    assert retrying.robot.served == [1]
    assert 'model version 2 of another program does not serve: ' in retrying.problems
    for _ in range(2):
        retrying.look()
    assert retrying.robot.served == [1, 2]
    assert retrying.problems == '', 'version 3 is of another extractor'


@pytest.mark.parametrize('is_damaged', [True, False])
def test_a_version_is_not_tried_at_each_look(tmp_path: Path, is_damaged: bool) -> None:
    tries = []

    def prepare(model: bytes) -> dict[str, PreparedModel]:
        tries.append(model)
        raise ModelFileError('no runtime can run it') if is_damaged else DeviceError('busy')

    # What is damaged is not tried again, whatever the period.
    following = Following(tmp_path / 'models', 0.0 if is_damaged else math.inf)
    following.versions = following.robot.versions(prepare=prepare)
    following.other_program.save(MODEL, RECORD)
    for _ in range(3):
        following.look()
    following.close()
    assert len(tries) == 1
    assert 'version 1 of another program does not serve' in following.problems


def test_a_folder_that_cannot_be_read_is_reported_until_it_can(following: Following) -> None:
    following.other_program.save(MODEL, RECORD)
    following.look()
    with without(0o111, [following.other_program.folder]):
        following.look()
    assert 'Permission denied' in following.problems
    assert 'was removed' not in following.problems
    following.look()
    assert following.problems == ''


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
