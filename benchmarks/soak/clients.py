# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
All clients of ``benchmarks/soak``, each a process of its own.

In one process they would wait for each other's turn in Python, and what is measured would be that.

Requests: ``start`` with the training period, answered at once; ``stop``, answered with what was
noted when all have ended.
"""

from __future__ import annotations

from collections import Counter
import itertools
import multiprocessing
import queue
import time
from typing import Any

from benchmarks.shared.dialogue import reply, requests
from benchmarks.soak.client import Client, PEER, QUICK, Record, SLOW
from benchmarks.soak.storms import Storm, storms

_SECONDS_TO_END = 90.0
# A process that starts with nothing but its arguments: threads of DDS do not survive a fork.
_PROCESSES = multiprocessing.get_context('spawn')


class Clients:
    """
    The clients at work.

    Args:
        training_period_s: see :class:`~soak_storms.Trainer`.
    """

    def __init__(self, training_period_s: float) -> None:
        self._stopping = _PROCESSES.Event()
        self._records: Any = _PROCESSES.Queue()
        self._processes = [
            _PROCESSES.Process(
                target=_live,
                args=(number, training_period_s, self._stopping, self._records),
                name=storm.name,
                daemon=True,
            )
            for number, storm in enumerate(storms(training_period_s))
        ]
        for process in self._processes:
            process.start()

    def stop(self) -> dict[str, Any]:
        """End them all and return what was noted."""
        self._stopping.set()
        records = self._collected()
        errors = [error for record in records.values() for error in record.errors]
        errors += [
            f'{process.name} does not end, or ended with code {process.exitcode}'
            for process in self._processes
            if process.name not in records
        ]
        return {
            'answers': {
                kind: [each for record in records.values() for each in record.answers[kind]]
                for kind in (QUICK, SLOW, PEER)
            },
            'errors': errors,
            'counts': sum((record.counts for record in records.values()), Counter[str]()),
        }

    def _collected(self) -> dict[str, Record]:
        records: dict[str, Record] = {}
        deadline = time.monotonic() + _SECONDS_TO_END
        while len(records) < len(self._processes):
            try:
                name, record = self._records.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            records[name] = record
        return records


def _live(number: int, training_period_s: float, stopping: Any, records: Any) -> None:
    """Do what one client does until all are to stop, then hand over what was noted."""
    storm, record = storms(training_period_s)[number], Record()
    try:
        _storm(storm, record, stopping)
    finally:
        records.put((storm.name, record))


def _storm(storm: Storm, record: Record, stopping: Any) -> None:
    numbers = itertools.count()
    while not stopping.is_set():
        client = Client(f'soak_{storm.name}', record, stopping)
        try:
            for lived in itertools.count(1):
                storm.act(client, next(numbers))
                if stopping.is_set() or lived == storm.rounds_a_life:
                    break
        except Exception as error:  # noqa: BLE001 - the end of one is no end of the soak
            record.error(f'{storm.name}: {error!r}')
            stopping.wait(1.0)
        finally:
            client.close()


def main() -> None:
    """Do what the parent process asks for."""
    clients: Clients | None = None
    for request in requests():
        if request['what'] == 'start':
            clients = Clients(request['training_period_s'])
            reply('started')
        elif clients is not None:
            reply(clients.stop())


if __name__ == '__main__':
    main()
