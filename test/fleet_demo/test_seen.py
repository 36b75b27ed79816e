# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
import json
from typing import Any

from edgetpu_retrain.fleet_demo.seen import Score, Seen
import pytest

RIGHT, WRONG = Score(6, 12, 'cat'), Score(5, 12, 'cat')

ALL = Seen(
    samples={'ada': 24},
    shared={'ada': {'cat': RIGHT}, 'ben': {'cat': RIGHT}},
    new_class='rocket',
    new_class_s=3.0,
    new_class_scores={'ben': {'rocket': RIGHT}},
    offline={'cleo': Score(0, 12)},
    caught_up_s=2.0,
    caught_up_scores={'cleo': {'rocket': RIGHT}},
    same_model=True,
    noticed=['ada rejected a training'],
    meanwhile={'cleo': {'cat': WRONG}},
    forgotten={'ada': True, 'cleo': True},
    corrected={'ada': {'cat': RIGHT}, 'cleo': {'cat': RIGHT}},
    seconds=90.0,
)


def test_nothing_is_missing_when_all_was_seen() -> None:
    assert ALL.missing() == []


def test_nothing_seen_is_no_success() -> None:
    assert len(Seen().missing()) == 10


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'shared': {'ben': {'cat': WRONG}}}, 'ben classified 5 of 12 frames of cat correctly'),
        ({'new_class_scores': {'ben': {'rocket': Score(0, 0)}}}, 'ben classified 0 of 0 frames'),
        ({'new_class_s': None}, 'no other robot learned'),
        ({'offline': {'cleo': RIGHT}}, 'offline knew the new class'),
        ({'offline': {'cleo': Score(0, 0)}}, 'or was not asked'),
        ({'caught_up_s': None}, 'did not catch up'),
        ({'caught_up_scores': {}}, 'no robot was examined in what was taught while'),
        ({'same_model': False}, 'same head'),
        ({'noticed': []}, 'nobody noticed'),
        ({'forgotten': {'ada': True, 'cleo': False}}, 'not forgotten'),
        ({'corrected': {'ada': {'cat': WRONG}}}, 'ada classified 5 of 12'),
        ({'corrected': {}}, 'after the revocation'),
    ],
)
def test_each_thing_that_was_not_seen_is_named(change: dict[str, Any], words: str) -> None:
    (missing,) = replace(ALL, **change).missing()
    assert words in missing


def test_the_object_for_programs_has_every_figure() -> None:
    figures = json.loads(json.dumps(ALL.as_json()))
    assert figures['shared']['ben']['cat'] == {'right': 6, 'frames': 12, 'heard': 'cat'}
    assert figures['missing'] == []
    assert set(figures) == {*vars(ALL), 'missing'}
