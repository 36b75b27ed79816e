# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""
All clients of ``benchmarks/soak.py`` in a process of their own, a thread each.

Requests: ``start`` with the training period, answered at once; ``stop``, answered with what was
noted when all have ended.
"""

from __future__ import annotations

import itertools
import threading
from typing import Any

from node_dialogue import reply, requests
from soak_client import Client, Record
from soak_storms import Storm, storms

_SECONDS_TO_END = 90.0


class Clients:
    """
    The clients at work.

    Args:
        training_period_s: see :class:`~soak_storms.Trainer`.
    """

    def __init__(self, training_period_s: float) -> None:
        self._record = Record()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._live, args=(storm,), name=storm.name, daemon=True)
            for storm in storms(training_period_s)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> dict[str, Any]:
        """End them all and return what was noted."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_SECONDS_TO_END)
            if thread.is_alive():
                self._record.error(f'{thread.name} does not end')
        record = self._record
        return {
            'answers': record.answers,
            'slow_answers': record.slow_answers,
            'errors': record.errors,
            'counts': record.counts,
        }

    def _live(self, storm: Storm) -> None:
        numbers = itertools.count()
        while not self._stopping.is_set():
            client = Client(f'soak_{storm.name}', self._record, self._stopping)
            try:
                for lived in itertools.count(1):
                    storm.act(client, next(numbers))
                    if self._stopping.is_set() or lived == storm.rounds_a_life:
                        break
            except Exception as error:  # noqa: BLE001 - one must not end all others
                self._record.error(f'{storm.name}: {error!r}')
                self._stopping.wait(1.0)
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
