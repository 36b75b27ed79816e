# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Converts the states of a gamepad's buttons to actions; does not depend on ROS.

A button is pressed if it is down in a message, and was up in the previous message.  A button that
is already down in the first message, or in the first message after a pause of more than
``silence_s``, is ignored until it is pressed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.wording import counted, quoted

MAX_BUTTON = 255
"""The highest number of a button; gamepads have fewer than 20."""


@dataclass(frozen=True)
class ButtonMap:
    """
    The meaning of each button, by its number in ``Joy.buttons``.

    Args:
        labels: the class that a button captures while it is held, by the number of the button.
        train: number of the button that starts a training; -1 = none.
        undo: number of the button that undoes the last change of samples; -1 = none.
    """

    labels: Mapping[int, str]
    train: int
    undo: int


class Kind(Enum):
    """What an action does: start or end (RELEASE) a capture, start a training, or undo."""

    CAPTURE = 'capture'
    RELEASE = 'release'
    TRAIN = 'train'
    UNDO = 'undo'


@dataclass(frozen=True)
class Action:
    """
    An action that the press or release of a button, or a pause of the messages, causes.

    Args:
        kind: kind of the action.
        label: the class to capture; '' for other kinds.
    """

    kind: Kind
    label: str = ''


def button_map(
    labels: Sequence[str], label_buttons: Sequence[int], train: int, undo: int
) -> ButtonMap:
    """
    Check the parameters of a gamepad, and return the meaning of each button.

    Args:
        labels: the classes.
        label_buttons: number of the button of each class, in the order of ``labels``; surplus
            buttons are not used.
        train: see :class:`ButtonMap`.
        undo: see :class:`ButtonMap`.

    Raises:
        RequestError: if there are no labels or too few buttons, if a label or button is invalid,
            or if a button is used twice.
    """
    if not labels:
        raise RequestError(
            'labels is empty: name the classes to teach, such as -p labels:="[background, cup]"'
        )
    if len(labels) > len(label_buttons):
        raise RequestError(
            f'labels has {counted(len(labels), "class", "classes")}, and label_buttons has '
            f'{counted(len(label_buttons), "button", "buttons")}: give each class a button'
        )
    others = (('train_button', train), ('undo_button', undo))
    captures = {
        button: check_label(label) for label, button in zip(labels, label_buttons, strict=False)
    }
    names = [f'the class {quoted(label)}' for label in labels]
    owners: dict[int, str] = {}
    for name, button in (
        *zip(names, label_buttons, strict=False),
        *((name, button) for name, button in others if button != -1),
    ):
        if not 0 <= button <= MAX_BUTTON:
            raise RequestError(
                f'the button of {name} is {button}: give its number, from 0 to {MAX_BUTTON} '
                '(ros2 topic echo /joy shows which number a button has)'
            )
        if button in owners:
            raise RequestError(
                f'button {button} is that of {owners[button]} and of {name}: choose another for '
                'one of them'
            )
        owners[button] = name
    return ButtonMap(captures, train, undo)


class Buttons:
    """
    Converts the states of the buttons to actions.

    Args:
        meanings: the meaning of each button.
        silence_s: a capture ends if no message arrives for this time, seconds.
    """

    def __init__(self, meanings: ButtonMap, silence_s: float) -> None:
        self._meanings = meanings
        self._silence_s = silence_s
        self._down: set[int] | None = None
        self._heard_at = 0.0
        self._held: int | None = None

    def update(self, states: Sequence[int], now: float) -> list[Action]:
        """
        Return the actions that a message causes.

        Args:
            states: state of each button, by its number; 0 = up.
            now: time of the message, seconds on a monotonic clock.
        """
        actions = self.check(now)
        down = {button for button, state in enumerate(states) if state}
        pressed = set() if self._down is None else down - self._down
        self._down, self._heard_at = down, now
        if self._held is not None and self._held not in down:
            self._held = None
            actions.append(Action(Kind.RELEASE))
        if self._meanings.undo in pressed:
            actions.append(Action(Kind.UNDO))
        if self._meanings.train in pressed:
            actions.append(Action(Kind.TRAIN))
        # Capture one class at a time: ignore other buttons until the held one is released.
        for button in sorted(pressed & self._meanings.labels.keys()):
            if self._held is None:
                self._held = button
                actions.append(Action(Kind.CAPTURE, self._meanings.labels[button]))
        return actions

    def check(self, now: float) -> list[Action]:
        """
        Return a release if no message arrived for ``silence_s`` during a capture, else no action.

        Args:
            now: the current time, seconds on a monotonic clock.
        """
        if self._down is None or now - self._heard_at <= self._silence_s:
            return []
        was_held, self._held, self._down = self._held, None, None
        return [] if was_held is None else [Action(Kind.RELEASE)]
