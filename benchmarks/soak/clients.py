# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Runs all clients of the soak test, each in its own process.

In one process they would wait for each other because of the GIL, and that would be measured.

Requests: ``start`` with the training period, which replies at once; ``stop``, which replies with
the records when all clients have ended.
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
from benchmarks.soak.workloads import Workload, workloads

_SECONDS_TO_END = 90.0
# Threads of DDS do not survive a fork.
_PROCESSES = multiprocessing.get_context('spawn')


class Clients:
    """
    The processes of all clients.

    Args:
        training_period_s: see :class:`~benchmarks.soak.trainer.Trainer`.
    """

    def __init__(self, training_period_s: float) -> None:
        self._stopping = _PROCESSES.Event()
        self._records: Any = _PROCESSES.Queue()
        self._processes = [
            _PROCESSES.Process(
                target=_run_client,
                args=(number, training_period_s, self._stopping, self._records),
                name=workload.name,
                daemon=True,
            )
            for number, workload in enumerate(workloads(training_period_s))
        ]
        for process in self._processes:
            process.start()

    def stop(self) -> dict[str, Any]:
        """Stop all clients and return their records."""
        self._stopping.set()
        records = self._collected()
        errors = [error for record in records.values() for error in record.errors]
        errors += [
            f'{process.name} did not end, or ended with code {process.exitcode}'
            for process in self._processes
            if process.name not in records
        ]
        return {
            'responses': {
                kind: [each for record in records.values() for each in record.responses[kind]]
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


def _run_client(number: int, training_period_s: float, stopping: Any, records: Any) -> None:
    """Run one client until all are to stop, then send its record."""
    workload, record = workloads(training_period_s)[number], Record()
    try:
        _run_workload(workload, record, stopping)
    finally:
        records.put((workload.name, record))


def _run_workload(workload: Workload, record: Record, stopping: Any) -> None:
    numbers = itertools.count()
    while not stopping.is_set():
        client = Client(f'soak_{workload.name}', workload.robot, record, stopping)
        try:
            for lived in itertools.count(1):
                workload.act(client, next(numbers))
                if stopping.is_set() or lived == workload.calls_per_session:
                    break
        except Exception as error:  # noqa: BLE001 - a client that fails starts again
            record.errors.append(f'{workload.name}: {error!r}')
            stopping.wait(1.0)
        finally:
            client.close()


def main() -> None:
    """Handle the requests of the parent process."""
    clients: Clients | None = None
    for request in requests():
        if request['what'] == 'start':
            clients = Clients(request['training_period_s'])
            reply('started')
        elif clients is not None:
            reply(clients.stop())


if __name__ == '__main__':
    main()
