# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""From states of buttons to actions."""

from __future__ import annotations

from collections.abc import Sequence

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.gamepad.buttons import Action, button_map, Buttons, Kind
import pytest

LABELS = ('background', 'cup')
BACKGROUND, CUP = (Action(Kind.CAPTURE, label) for label in LABELS)
RELEASE, TRAIN, UNDO = (Action(kind) for kind in (Kind.RELEASE, Kind.TRAIN, Kind.UNDO))
UP = (0, 0, 0, 0)


class Pad:
    """A gamepad whose messages arrive every 50 ms."""

    def __init__(self) -> None:
        self.buttons = Buttons(button_map(LABELS, (0, 1), train=2, undo=3), silence_s=1.0)
        self.now = 100.0

    def press(self, *buttons: int, after_s: float = 0.05) -> list[Action]:
        """Return the actions of a message with these buttons down."""
        self.now += after_s
        return self.buttons.update([int(each in buttons) for each in range(4)], self.now)


@pytest.fixture
def pad() -> Pad:
    """Return a gamepad that has sent a message without pressed buttons."""
    pad = Pad()
    assert pad.press() == []
    return pad


def test_a_button_that_is_held_captures_once_until_it_is_released(pad: Pad) -> None:
    assert pad.press(1) == [CUP]
    assert pad.press(1) == []
    assert pad.press() == [RELEASE]
    assert pad.press() == []
    assert pad.press(0) == [BACKGROUND]


def test_train_and_undo_act_once_per_press(pad: Pad) -> None:
    assert [pad.press(2), pad.press(2), pad.press(), pad.press(2)] == [[TRAIN], [], [], [TRAIN]]
    assert [pad.press(3), pad.press(3), pad.press(), pad.press(3)] == [[UNDO], [], [], [UNDO]]


def test_one_class_at_a_time(pad: Pad) -> None:
    assert pad.press(1) == [CUP]
    assert pad.press(0, 1) == []
    # The other one has to be pressed again: nobody knows how long it was meant.
    assert pad.press(0) == [RELEASE]
    assert pad.press() == []
    assert pad.press(0, 1) == [BACKGROUND]


def test_from_one_class_to_the_next_without_a_message_in_between(pad: Pad) -> None:
    assert pad.press(1) == [CUP]
    assert pad.press(0) == [RELEASE, BACKGROUND]


def test_undo_during_a_capture_comes_after_its_end(pad: Pad) -> None:
    pad.press(1)
    assert pad.press(3) == [RELEASE, UNDO]


def test_a_silence_ends_the_capture(pad: Pad) -> None:
    pad.press(1)
    assert pad.buttons.check(pad.now + 1.0) == []
    assert pad.buttons.check(pad.now + 1.1) == [RELEASE]
    assert pad.buttons.check(pad.now + 9.0) == []


def test_a_button_that_is_down_after_a_silence_has_to_be_pressed_again(pad: Pad) -> None:
    pad.press(1)
    # Nobody has called check() meanwhile.
    assert pad.press(1, after_s=5.0) == [RELEASE]
    assert pad.press(1) == []
    assert pad.press() == []
    assert pad.press(1) == [CUP]


def test_a_button_that_is_down_at_the_start_does_nothing() -> None:
    pad = Pad()
    assert pad.press(0, 2, 3) == []
    assert pad.press() == []


def test_a_gamepad_with_fewer_buttons_than_were_mapped() -> None:
    buttons = Buttons(button_map(LABELS, (0, 1), train=20, undo=-1), silence_s=1.0)
    assert buttons.update([0, 0], 1.0) == []
    assert buttons.update([0, 1], 1.1) == [CUP]
    assert buttons.update([], 1.2) == [RELEASE]


@pytest.mark.parametrize(
    ('labels', 'label_buttons', 'train', 'undo', 'words'),
    [
        ((), (0,), 7, 6, r'labels is empty: name the classes'),
        (('a', 'b'), (0,), 7, 6, r'labels has 2 classes, and label_buttons has 1'),
        (('a', 'b'), (0, 0), 7, 6, r"button 0 is that of the class 'a' and of the class 'b'"),
        (('a', 'b'), (0, 7), 7, 6, r"button 7 is that of the class 'b' and of train_button"),
        (('a',), (0,), 6, 6, r'button 6 is that of train_button and of undo_button'),
        (('a',), (-1,), 7, 6, r"button of the class 'a' is -1: give its number, from 0 to 255"),
        (('a',), (0,), 256, 6, r'button of train_button is 256'),
        (('unknown',), (0,), 7, 6, r'reserved'),
    ],
)
def test_a_wrong_map_is_rejected_with_the_remedy(
    labels: Sequence[str], label_buttons: Sequence[int], train: int, undo: int, words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        button_map(labels, label_buttons, train, undo)


def test_more_buttons_than_labels_are_no_mistake() -> None:
    assert button_map(('a',), (4, 0, 0), train=0, undo=-1).labels == {4: 'a'}
