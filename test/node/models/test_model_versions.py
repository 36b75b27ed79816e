# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Which version serves at a start, and swaps, with a real store and real small models."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
import gc
from pathlib import Path
import threading
import weakref

from edgetpu_retrain.errors import ModelFileError, RequestError, StoreError
from edgetpu_retrain.node.models.loaded_model import LoadedModel
from edgetpu_retrain.node.models.model_versions import (
    LATEST,
    ModelVersions,
    PREVIOUS,
    Wanted,
)
from edgetpu_retrain.runtime.engines.engine import PreparedModel
from edgetpu_retrain.store.models.choice_file import ChoiceFile
from edgetpu_retrain.store.models.model_record import ModelRecord
from edgetpu_retrain.store.models.model_store import ModelVersion
import pytest
from support.model_robot import IDENTITY, MODEL, RECORD, Robot
from support.waiting import PATIENCE_S


@pytest.fixture
def robot(tmp_path: Path) -> Robot:
    """Return a robot with versions 1, 2 and 3."""
    robot = Robot(tmp_path / 'models')
    for _ in range(3):
        robot.models.save(MODEL, RECORD)
    return robot


def test_a_start_serves_the_newest_model(robot: Robot) -> None:
    assert robot.start() == 3
    assert robot.announced == [(3, 1)]
    assert robot.served == [], 'the worker begins with it'
    assert robot.start() == 3
    assert robot.announced == [(3, 1), (3, 1)], 'a start with the same is no swap'
    assert robot.warnings == []


def test_a_damaged_model_is_passed_over_with_a_warning(robot: Robot) -> None:
    path = robot.models.load(3).path
    path.write_bytes(path.read_bytes()[:-1])
    assert robot.start() == 2
    (warning,) = robot.warnings
    assert 'model version 3 does not serve' in warning


def test_if_the_choice_is_unknown_the_newest_serves(robot: Robot) -> None:
    ChoiceFile(robot.models).choose(2)
    for name in ('serving.json', 'serving.copy.json'):
        (robot.models.folder / name).write_bytes(b'{')
    assert robot.start() == 3
    assert robot.announced == [(3, 1)]
    which, written = robot.warnings
    assert 'which model was chosen is not known, so the newest serves: ' in which
    assert 'serves, but that could not be written down: ' in written
    assert 'What to do: restore a backup, or delete it' in written


def test_incomplete_files_of_a_kill_are_deleted_before_the_first_model(
    tmp_path: Path,
) -> None:
    robot = Robot(tmp_path / 'models')
    leftover = robot.models.folder / '.model_000001.tflite.partial'
    leftover.write_bytes(b'half')
    assert robot.start() == 0
    assert not leftover.exists()
    assert robot.warnings == []


def test_a_model_of_another_extractor_does_not_serve(robot: Robot) -> None:
    assert robot.start(identity='f' * 64) == 0
    assert len(robot.warnings) == 3
    assert f'trained for extractor {IDENTITY[:12]}' in robot.warnings[0]
    assert 'set extractor to that one, or train again' in robot.warnings[0]


def test_back_and_forward(robot: Robot) -> None:
    versions = robot.versions()
    versions.start(robot.warnings.append)
    for wanted in (PREVIOUS, PREVIOUS, LATEST, 2):
        versions.load(wanted)
    assert robot.served == [2, 1, 3, 2]
    assert robot.announced == [(3, 1), (2, 2), (1, 3), (3, 4), (2, 5)]
    assert versions.serving is not None
    assert versions.serving.version.version == 2
    assert robot.start() == 2, 'a choice outlives a restart'


def test_what_is_not_there_cannot_be_loaded(robot: Robot) -> None:
    versions = robot.versions()
    with pytest.raises(RequestError, match='There is no model version: train first'):
        versions.load(PREVIOUS)
    versions.load(1)
    with pytest.raises(RequestError, match='no model version before the one that serves'):
        versions.load(PREVIOUS)
    with pytest.raises(StoreError, match='no model version 9'):
        versions.load(9)
    with pytest.raises(RequestError, match='version is -2'):
        versions.load(-2)
    assert robot.served == [1]


def test_a_model_that_cannot_be_loaded_changes_nothing(robot: Robot) -> None:
    def unloadable(_model: bytes) -> dict[str, PreparedModel]:
        raise ModelFileError('the runtime cannot run it')

    robot.versions().load(2)
    with pytest.raises(ModelFileError):
        robot.versions(prepare=unloadable).load(1)
    assert robot.start() == 2


def test_a_swap_that_never_came_is_not_announced(robot: Robot) -> None:
    versions = robot.versions()
    versions.load(1)
    robot.ended = True
    with pytest.raises(CancelledError):
        versions.load(2)
    assert robot.announced == [(1, 1)]


def test_pruning_spares_what_serves(robot: Robot) -> None:
    versions = robot.versions()
    versions.load(1)
    assert versions.prune(1) == (2,)
    assert robot.models.versions() == (1, 3)


def test_pruning_spares_what_another_program_chose_to_serve_next(robot: Robot) -> None:
    versions = robot.versions()
    versions.load(2)
    ChoiceFile(robot.models).choose(1)
    assert versions.prune(1) == ()
    versions.load(3)
    assert versions.prune(1) == (1, 2)


def test_what_other_programs_train_and_choose_is_wanted(robot: Robot) -> None:
    versions = robot.versions()
    versions.start(robot.warnings.append)
    nothing = versions.wanted()
    assert nothing is not None
    assert nothing.versions == ()
    robot.models.save(MODEL, RECORD)
    trained = versions.wanted()
    assert trained is not None
    assert trained.versions == (4,)
    assert versions.wanted() == trained, 'as long as nothing has changed'
    ChoiceFile(robot.models).choose(2)
    chosen = versions.wanted()
    assert chosen is not None
    assert chosen.versions == (2,)
    assert versions.follow(2, chosen.choice, known=0)
    # The command line has counted the swap already.
    assert (robot.served, robot.announced[-1]) == ([2], (2, 2))


def test_a_file_that_changes_is_wanted_anew(robot: Robot) -> None:
    versions = robot.versions()
    versions.start(robot.warnings.append)
    robot.models.save(MODEL, RECORD)
    path = robot.models.load(3).path.with_name('model_000004.tflite')
    path.write_bytes(MODEL[:100])
    half = versions.wanted()
    assert half is not None
    with pytest.raises(StoreError, match='incomplete or was changed'):
        versions.check(4)
    path.write_bytes(MODEL)
    whole = versions.wanted()
    assert whole is not None
    assert (half.versions, half == whole) == ((4,), False)
    assert versions.check(4).version == 4


def test_who_follows_does_not_overrule_a_choice_made_meanwhile(robot: Robot) -> None:
    versions = robot.versions()
    versions.start(robot.warnings.append)
    robot.models.save(MODEL, RECORD)
    seen = ChoiceFile(robot.models).current()
    ChoiceFile(robot.models).choose(1)
    assert not versions.follow(4, seen, known=0)
    assert robot.served == []
    assert robot.announced == [(3, 1)]


def test_a_foreign_version_is_refused_before_a_runtime_gets_it(robot: Robot) -> None:
    def unasked(_model: bytes) -> dict[str, PreparedModel]:
        raise AssertionError('it was given to the runtime')

    versions = robot.versions('f' * 64, unasked)
    for refused in (versions.check, lambda number: versions.follow(number, None, known=0)):
        with pytest.raises(StoreError, match='was trained for extractor'):
            refused(3)
    assert ChoiceFile(robot.models).current() is None


def test_an_own_training_is_never_wanted(robot: Robot) -> None:
    seen: list[Wanted | None] = []

    def serve(model: LoadedModel) -> None:
        seen.append(versions.wanted())
        robot.serve(model)

    versions = robot.versions(serve=serve)
    versions.start(robot.warnings.append)
    assert versions.add(MODEL, lambda _: RECORD, lambda: None).version == 4
    assert robot.served == [4]
    assert seen == [None], 'nothing is said while it is stored and swapped in'
    after = versions.wanted()
    assert after is not None
    assert after.versions == ()


@pytest.mark.parametrize('swap', ['start', 'load', 'follow'])
def test_what_another_program_stores_while_a_model_is_loaded_is_wanted(
    robot: Robot, swap: str
) -> None:
    def prepare(model: bytes) -> dict[str, PreparedModel]:
        robot.models.save(MODEL, RECORD)
        return robot.prepare(model)

    versions = robot.versions(prepare=prepare)
    swaps: dict[str, Callable[[], object]] = {
        'start': lambda: versions.start(robot.warnings.append),
        'load': lambda: versions.load(LATEST),
        'follow': lambda: versions.follow(3, None, known=0),
    }
    swaps[swap]()
    assert robot.announced == [(3, 1)]
    check_wanted(versions, robot, 4)


def test_what_another_program_chooses_during_a_start_serves(robot: Robot) -> None:
    def prepare(model: bytes) -> dict[str, PreparedModel]:
        ChoiceFile(robot.models).choose(1)
        return robot.prepare(model)

    model = robot.versions(prepare=prepare).start(robot.warnings.append)
    assert model is not None
    assert model.version.version == 1
    assert robot.announced == [(1, 1)]
    assert robot.warnings == []


def test_what_another_program_stores_while_a_training_is_stored_is_wanted(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = robot.models.save

    def save_two(model: bytes, record: ModelRecord) -> ModelVersion:
        version = save(model, record)
        save(MODEL, RECORD)
        return version

    monkeypatch.setattr(robot.models, 'save', save_two)
    versions = robot.versions()
    assert versions.add(MODEL, lambda _: RECORD, lambda: None).version == 4
    check_wanted(versions, robot, 5)


def check_wanted(versions: ModelVersions, robot: Robot, number: int) -> None:
    wanted = versions.wanted()
    assert wanted is not None
    assert wanted.versions == (number,)
    assert robot.start() == number, 'a restart serves it'


@pytest.mark.parametrize(
    ('first', 'second'), [('load', 'add'), ('add', 'follow'), ('follow', 'load')]
)
def test_no_second_model_is_prepared_before_the_first_serves(
    robot: Robot, first: str, second: str
) -> None:
    prepared, at_the_swap, may_serve = [], threading.Event(), threading.Event()

    def prepare(model: bytes) -> dict[str, PreparedModel]:
        prepared.append(model)
        return robot.prepare(model)

    def serve(model: LoadedModel) -> None:
        at_the_swap.set()
        assert may_serve.wait(PATIENCE_S)
        robot.serve(model)

    versions = robot.versions(prepare=prepare, serve=serve)
    swaps: dict[str, Callable[[], object]] = {
        'load': lambda: versions.load(1),
        'add': lambda: versions.add(MODEL, lambda _: RECORD, lambda: None),
        'follow': lambda: versions.follow(2, None, known=0),
    }
    with ThreadPoolExecutor() as threads:
        swapped = threads.submit(swaps[first])
        assert at_the_swap.wait(PATIENCE_S)
        waiting = threads.submit(swaps[second])
        # Long enough for a model of this size to be loaded many times.
        assert not wait([waiting], 0.2).done
        assert len(prepared) == 1
        may_serve.set()
        swapped.result()
        waiting.result()
    assert len(prepared) == 2


def test_a_replaced_model_is_released_although_its_version_is_kept(robot: Robot) -> None:
    versions = robot.versions()
    versions.start(robot.warnings.append)
    gc.disable()
    try:
        answers = [versions.load(1)]
        assert versions.serving is not None
        former = weakref.ref(versions.serving)
        answers += [versions.load(2), versions.add(MODEL, lambda _: RECORD, lambda: None)]
        assert former() is None
    finally:
        gc.enable()
    assert [answer.version for answer in answers] == [1, 2, 4]


def test_leftovers_that_stay_are_a_warning_and_no_end(tmp_path: Path) -> None:
    robot = Robot(tmp_path / 'models')
    (robot.models.folder / '.model_000001.tflite.partial').mkdir()
    assert robot.start() == 0
    (warning,) = robot.warnings
    assert 'half written' in warning
    assert 'What to do: ' in warning
