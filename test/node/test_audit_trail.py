# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Each accepted change is one line in the log, and so on /rosout.

Single frames of one recording, as a held button requests them, are one change.
"""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import Log
from support.running_node import Person, RunningNode, TAUGHT_IMAGES


def test_accepted_changes_are_logged(start_node: Any, person: Person) -> None:
    node: RunningNode = start_node()
    rosout = person.wait_until_ready().collect(Log, '/rosout')
    person.teach(person.camera(), TAUGHT_IMAGES, count=3)
    node.wait_for_log("~/add_samples: 3 samples of 'cat' added.")
    assert person.train(num_iter=10, learning_rate=0.1)[1].success
    assert 'Model version 1 serves: ' in node.wait_for_log('~/train: Trained 2 classes on 6')
    goal = person.start_training(num_iter=1_000_000)
    goal.cancel()
    goal.wait()
    node.wait_for_log('~/train: The training was cancelled')
    rosout.wait_for(lambda each: each.msg.startswith('~/train: The training was cancelled'))
    assert person.load_model(1).success
    node.wait_for_log('~/load_model: ')
    assert person.relabel('mouse', label='dog').success
    node.wait_for_log('~/relabel_samples: ')
    assert person.remove('mouse', 1).success
    node.wait_for_log("~/remove_samples: 1 sample of 'mouse' removed.")
    assert person.trigger('undo').success
    node.wait_for_log("~/undo: Undid the removal of 1 sample of 'mouse'.")
    assert person.trigger('redo').success
    node.wait_for_log("~/redo: Redid the removal of 1 sample of 'mouse'.")
    assert person.remove('mouse', forever=True).success
    node.wait_for_log("~/remove_samples: 3 samples of 'mouse' erased for ever.")
    assert person.set_parameter('min_novelty', 0.25).successful
    node.wait_for_log('parameter min_novelty set to 0.25')
    assert person.list_samples().success
    assert not any('list_samples' in line for line in node.log)


def test_a_held_button_is_one_line_and_what_is_refused_meanwhile_is_logged(
    start_node: Any, person: Person
) -> None:
    node: RunningNode = start_node()
    person.show(person.wait_until_ready().camera(), TAUGHT_IMAGES['cat'])
    for _ in range(5):
        assert person.add('cat', count=1, recording='page 1').success
    assert not person.add('cat', count=1, recording='page 1', camera='attic').success
    node.wait_for_log('request refused: ')
    assert person.add('cat', count=1, recording='page 2').success
    assert person.remove('cat', 1).success
    node.wait_for_log('~/remove_samples: ')
    lines = [line for line in node.log if '~/add_samples: ' in line]
    assert [line.partition('recording ')[2][:8] for line in lines] == ["'page 1'", "'page 2'"]
