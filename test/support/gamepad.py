# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The program gamepad as a child process, and the buttons that it hears."""

from __future__ import annotations

import sys
import threading

from rclpy.duration import Duration
from sensor_msgs.msg import Joy, JoyFeedback
from support.person import Person
from support.running_program import RunningProgram
from support.waiting import Collected, wait_until


class Pad:
    """Publishes the state of eight buttons every 50 ms, as joy_node does."""

    def __init__(self, person: Person) -> None:
        self.feedback = person.collect(JoyFeedback, '/joy/set_feedback')
        self._publisher = person.node.create_publisher(Joy, '/joy', 10)
        self._down: tuple[int, ...] = ()
        self._sent: Collected[tuple[int, ...]] = Collected()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        wait_until(lambda: self._publisher.get_subscription_count() == 1)
        self._thread.start()
        self.hold()
        # Only the gamepad's acknowledgement tells that it has discovered this publisher, too.
        wait_until(lambda: self._publisher.wait_for_all_acked(Duration(nanoseconds=1_000_000)))

    def hold(self, *buttons: int) -> None:
        """
        Hold these buttons, and no others, from now on.

        A program that stands still for half a second may miss a shorter press.
        """
        self._down = buttons
        self._sent.wait_for(lambda each: each == buttons, since=len(self._sent))

    def __enter__(self) -> Pad:
        return self

    def __exit__(self, *_: object) -> None:
        self.vanish()

    def vanish(self) -> None:
        """Send no more messages."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.05):
            down = self._down
            self._publisher.publish(Joy(buttons=[int(each in down) for each in range(8)]))
            self._sent.append(down)


def start_gamepad(package_path: str, *parameters: str) -> RunningProgram:
    """Start the program gamepad with parameters such as 'labels:=cat'."""
    given = [part for each in parameters for part in ('-p', each)]
    command = [sys.executable, '-m', 'edgetpu_retrain.gamepad.main', '--ros-args', *given]
    return RunningProgram(command, {'PYTHONPATH': package_path})
