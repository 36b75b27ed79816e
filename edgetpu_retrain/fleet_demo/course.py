# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Course: the steps of the demonstration, from teaching to the revocation of a wrong teacher."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
import time
from typing import Protocol, TypeVar

from edgetpu_retrain.demo.scenes import BACKGROUND
from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet_demo.link import Link
from edgetpu_retrain.fleet_demo.robot import DemoRobot
from edgetpu_retrain.fleet_demo.seen import Score, Seen
from edgetpu_retrain.fleet_demo.view import View

Returned = TypeVar('Returned')

ROBOTS = ('ada', 'ben', 'cleo')

OWN = {'ada': 'cat', 'ben': 'coffee', 'cleo': 'coins'}
"""The subject that each robot is taught first, with the background."""

NEW, NEW_AT, LEARNER = 'rocket', 'ada', 'ben'
OFFLINE, OFFLINE_SUBJECT = 'cleo', 'astronaut'
WRONG_AT, WRONG_SUBJECT, WRONG_LABEL = 'ben', 'cat', 'coffee'

VISITS = ('morning', 'evening')
"""Recordings of each class: with two, the gate can hold out one of them."""

WRONG_VISITS = (*VISITS, 'night')
"""Recordings with the wrong label: one more than with the right label, to be the majority."""


class Station(Protocol):
    """The part of the base station that the course uses."""

    @property
    def reports(self) -> list[Report]:
        """The last report of each member that may connect."""

    @property
    def last_sequence(self) -> int:
        """Number of the last pack in the hub's stream."""

    def revoke(self, name: str, since_sequence: int) -> None:
        """Revoke a member; only its packs before a number in the hub's stream still count."""


class Course:
    """
    Runs the steps of the demonstration, and collects the results.

    Args:
        robots: the robots by name.
        link: the network between the robot :data:`OFFLINE` and the hub.
        station: the base station.
        view: the operator's terminal.
        patience_s: time limit of each wait, seconds; a wait takes some seconds on an idle machine.
    """

    def __init__(
        self,
        robots: Mapping[str, DemoRobot],
        link: Link,
        station: Station,
        view: View,
        patience_s: float,
    ) -> None:
        self._patience_s = patience_s
        self._robots = robots
        self._link = link
        self._station = station
        self._view = view
        self._threads = ThreadPoolExecutor(len(robots))
        self.seen = Seen()

    def close(self) -> None:
        """Cancel calls that have not started, and wait for the threads to end."""
        self._threads.shutdown(cancel_futures=True)

    def run(self) -> Seen:
        """Run all steps, and return the results."""
        self._start()
        self._share()
        self._learn_new_class()
        self._catch_up()
        self._forget()
        self.seen.seconds = round(self._view.seconds, 1)
        return self.seen

    def _start(self) -> None:
        self._view.heading('Three robots start, each with a node, a camera and a fleet process')
        self._at_once(ROBOTS, lambda robot: robot.wait_until_ready())
        self._view.say('all nodes are active')

    def _share(self) -> None:
        self._view.heading('Each robot is taught one thing; all learn all')
        for name, added in self._at_once(ROBOTS, self._teach_own).items():
            self._taught(name, OWN[name], added)
        subjects = tuple(OWN.values())
        self._wait_for_classes(ROBOTS, subjects)
        self._wait_for_the_same_model()
        self.seen.shared = self._examine(ROBOTS, subjects)

    def _learn_new_class(self) -> None:
        self._view.heading(f'{OFFLINE} loses its network; {NEW_AT} is taught a new class: {NEW}')
        self._link.cut()
        self.seen.new_class = NEW
        self._taught(NEW_AT, NEW, _teach(self._robots[NEW_AT], NEW))
        taught = time.monotonic()
        seconds = self._robots[LEARNER].seconds_until_right(NEW, taught, self._patience_s)
        self.seen.new_class_s = _rounded(seconds)
        self._view.say(f'{LEARNER} classifies a {NEW} correctly after {_seconds(seconds)}')
        self._wait_for_classes((NEW_AT,), (NEW,))
        self.seen.new_class_scores = self._examine((NEW_AT, LEARNER), (NEW,))
        self.seen.offline = {OFFLINE: self._robots[OFFLINE].examine(NEW)}
        self._print_score(OFFLINE, NEW, self.seen.offline[OFFLINE])
        added = _teach(self._robots[OFFLINE], OFFLINE_SUBJECT)
        self._taught(OFFLINE, OFFLINE_SUBJECT, added)
        self._wait_for_classes((OFFLINE,), (OFFLINE_SUBJECT,))

    def _catch_up(self) -> None:
        self._view.heading(f'{OFFLINE} is back')
        self._link.restore()
        restored = time.monotonic()
        seconds = self._robots[OFFLINE].seconds_until_right(NEW, restored, self._patience_s)
        self.seen.caught_up_s = _rounded(seconds)
        self._view.say(f'{OFFLINE} classifies a {NEW} correctly after {_seconds(seconds)}')
        self._wait_for_classes(ROBOTS, (NEW, OFFLINE_SUBJECT))
        self.seen.same_model = self._wait_for_the_same_model()
        self.seen.caught_up_scores = self._examine(ROBOTS, (NEW, OFFLINE_SUBJECT))
        same = 'the same' if self.seen.same_model else 'not the same'
        self._view.say(f'the models of all robots are {same}, byte for byte')

    def _forget(self) -> None:
        self._view.heading(f'A wrong teacher: at {WRONG_AT}, a {WRONG_SUBJECT} is {WRONG_LABEL}')
        others = tuple(name for name in ROBOTS if name != WRONG_AT)
        before = self._digests(others)
        usual = self._doubts(others)
        first_wrong = self._station.last_sequence + 1
        added = _teach(self._robots[WRONG_AT], WRONG_SUBJECT, WRONG_LABEL, WRONG_VISITS)
        self._taught(WRONG_AT, WRONG_LABEL, added)
        self._wait(lambda: bool(self._doubts(others) - usual))
        self.seen.noticed = sorted(self._doubts(others) - usual)
        for sentence in self.seen.noticed:
            self._view.say(sentence)
        self.seen.meanwhile = self._examine(others, (WRONG_SUBJECT, WRONG_LABEL))
        self._view.say(f'the operator revokes what the hub received of {WRONG_AT} since then')
        self._station.revoke(WRONG_AT, first_wrong)
        self._wait(lambda: self._digests(others) == before)
        now = self._digests(others)
        self.seen.forgotten = {name: now[name] == before[name] for name in others}
        for name, is_forgotten in self.seen.forgotten.items():
            which = 'the one from before' if is_forgotten else 'another one'
            self._view.say(f'the model of {name} is {which}, byte for byte')
        self.seen.corrected = self._examine(others, (WRONG_SUBJECT, WRONG_LABEL))

    def _teach_own(self, robot: DemoRobot) -> int:
        return sum(
            robot.teach(subject, visit)
            for visit in VISITS
            for subject in (BACKGROUND, OWN[robot.name])
        )

    def _taught(self, name: str, subject: str, added: int) -> None:
        self.seen.samples[name] = self.seen.samples.get(name, 0) + added
        self._view.say(f'{name} was taught {subject}: {added} samples')

    def _examine(
        self, names: tuple[str, ...], subjects: tuple[str, ...]
    ) -> dict[str, dict[str, Score]]:
        scores: dict[str, dict[str, Score]] = {name: {} for name in names}
        for subject in subjects:
            for name, score in self._examine_one(names, subject).items():
                scores[name][subject] = score
        return scores

    def _examine_one(self, names: tuple[str, ...], subject: str) -> dict[str, Score]:
        scores = self._at_once(names, lambda robot: robot.examine(subject))
        for name, score in scores.items():
            self._print_score(name, subject, score)
        return scores

    def _print_score(self, name: str, subject: str, score: Score) -> None:
        heard = '' if score.passed else f', most are {score.heard or "not classified"}'
        self._view.say(
            f'{name}: {score.right} of {score.frames} new views of {subject} right{heard}'
        )

    def _wait_for_classes(self, names: tuple[str, ...], subjects: tuple[str, ...]) -> None:
        self._wait(lambda: all(self._robots[name].classes >= set(subjects) for name in names))

    def _wait_for_the_same_model(self) -> bool:
        return self._wait(lambda: len(set(self._digests(ROBOTS).values())) == 1)

    def _wait(self, is_true: Callable[[], bool]) -> bool:
        return next(iter(self._robots.values())).wait_until(is_true, self._patience_s)

    def _doubts(self, names: tuple[str, ...]) -> frozenset[str]:
        return doubts(each for each in self._station.reports if each.name in names)

    def _digests(self, names: tuple[str, ...]) -> dict[str, str]:
        return {name: self._robots[name].model_digest() for name in names}

    def _at_once(
        self, names: tuple[str, ...], function: Callable[[DemoRobot], Returned]
    ) -> dict[str, Returned]:
        """Call a function for several robots in parallel; return its results by robot."""
        futures = {name: self._threads.submit(function, self._robots[name]) for name in names}
        return {name: future.result() for name, future in futures.items()}


def _teach(
    robot: DemoRobot, subject: str, label: str = '', visits: tuple[str, ...] = VISITS
) -> int:
    return sum(robot.teach(subject, f'{visit} {subject}', label) for visit in visits)


def doubts(reports: Iterable[Report]) -> frozenset[str]:
    """Return a sentence for each problem in the reports, such as samples that are not trusted."""
    found = set()
    for each in reports:
        trained, _, doubt = each.gate.partition('; ')
        words = doubt if trained.startswith('model version') else trained
        found |= {f'{each.name}: {text}' for text in (words, *each.problems) if text}
        if each.quarantine:
            found.add(f'{each.name}: {each.quarantine} packs in quarantine')
        if each.disagreements:
            found.add(f'{each.name}: teachers disagree about {each.disagreements} samples')
    return frozenset(found)


def _seconds(seconds: float | None) -> str:
    return 'more time than it was given' if seconds is None else f'{seconds:.1f} s'


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
