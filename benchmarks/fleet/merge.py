# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Merges packs of samples into an empty ledger, and offers them again, in a process of its own.

The floor is the same bytes in a bare SQLite table with the same pragmas, hashed once.  Only the
processor time of the merging is counted, with that of the kernel; packs are made in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
import hashlib
import multiprocessing
from pathlib import Path
import resource
import sqlite3
import time
from typing import Any

from edgetpu_retrain.fleet.evidence.claim import Claim
from edgetpu_retrain.fleet.evidence.embedding_space import EmbeddingSpace
from edgetpu_retrain.fleet.evidence.keys import Key
from edgetpu_retrain.fleet.evidence.pack import encode, MAX_CLAIMS, NO_PACK, Payload, seal
from edgetpu_retrain.fleet.ledger.ledger import Ledger
from edgetpu_retrain.fleet.roster import roster_message
from edgetpu_retrain.fleet.roster.roster import Member, Roster
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
import numpy as np

DIMENSION = 1280
SPACE = EmbeddingSpace(
    'a' * 64, EmbeddingKind(DIMENSION, 'uint8', QuantizationParameters(0.1, 0)), ''
)
KEYS = [Key(bytes([number]) * 32, 'user') for number in range(10)]
FLEET = Key(bytes(32), 'account')
CLOCK = 1_700_000_000_000 << 16
PRAGMAS = (
    'journal_mode=WAL',
    'synchronous=FULL',
    'secure_delete=ON',
    'cache_size=-16384',
)


def merge(folder: Path, num_packs: int) -> dict[str, Any]:
    """
    Return the processor seconds of merging and of the floor, and the memory.

    Args:
        folder: an empty folder on the disk to measure.
        num_packs: number of packs of 1,000 samples.
    """
    result: dict[str, Any] = {'samples': num_packs * MAX_CLAIMS}
    for function in (_merge, _floor):
        # A process of its own, whose greatest memory is that of this alone.
        context = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(1, context) as process:
            result |= process.submit(function, folder, num_packs).result()
    result['over_the_floor'] = round(result['merge_cpu_s'] / result['floor_cpu_s'], 2)
    return result


def _merge(folder: Path, num_packs: int) -> dict[str, Any]:
    members = [Member(key.public, '', frozenset({'teach'})) for key in KEYS]
    path = folder / 'fleet.db'
    with Ledger(path, SPACE, me=KEYS[0].public, fleet=FLEET.public) as ledger:
        ledger.set_roster(roster_message.sign(Roster(FLEET.public, 1, 0, tuple(members)), FLEET))

        def receive(message: bytes) -> str:
            return ledger.receive(message).outcome

        merged = _cpu_seconds(receive, num_packs, 'accepted')
        again = _cpu_seconds(receive, num_packs, 'known')
    return {
        'merge_cpu_s': merged,
        'again_cpu_s': again,
        'merge_peak_mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        'file_mb': path.stat().st_size >> 20,
    }


def _floor(folder: Path, num_packs: int) -> dict[str, Any]:
    path = folder / 'floor.db'
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in PRAGMAS:
            connection.execute(f'PRAGMA {pragma}')
        connection.execute('CREATE TABLE samples (id INTEGER PRIMARY KEY, data BLOB)')

        def insert(message: bytes) -> str:
            hashlib.sha256(message).digest()
            connection.execute('BEGIN IMMEDIATE')
            data = np.frombuffer(message, np.uint8)
            connection.executemany(
                'INSERT INTO samples (data) VALUES (?)',
                ((part.tobytes(),) for part in np.array_split(data, MAX_CLAIMS)),
            )
            connection.execute('COMMIT')
            return ''

        return {'floor_cpu_s': _cpu_seconds(insert, num_packs, '')}


def _cpu_seconds(receive: Callable[[bytes], str], num_packs: int, expected: str) -> float:
    spent = 0.0
    for message in _messages(num_packs):
        begin = time.process_time()
        outcome = receive(message)
        spent += time.process_time() - begin
        if outcome != expected:
            raise RuntimeError(f'a pack was {outcome}, not {expected}')
    return round(spent, 2)


def _messages(num_packs: int) -> Iterator[bytes]:
    """Yield packs of ten robots in turn, the same at each call."""
    random = np.random.default_rng(0)
    previous, sequences = dict.fromkeys(range(len(KEYS)), NO_PACK), [0] * len(KEYS)
    for number in range(num_packs):
        robot, place = number % len(KEYS), number // len(KEYS)
        embeddings = random.integers(0, 256, (MAX_CLAIMS, DIMENSION), np.uint8)
        payloads = {
            SPACE.sample_id(each.tobytes()): Payload(each.tobytes()) for each in embeddings
        }
        claims = [
            Claim(sample, f'class {at % 50}', f'recording {number}', CLOCK + number, sequence)
            for at, (sample, sequence) in enumerate(
                zip(payloads, range(sequences[robot], sequences[robot] + MAX_CLAIMS), strict=True)
            )
        ]
        sequences[robot] += MAX_CLAIMS
        pack = seal(KEYS[robot], f'{robot:016x}', place, previous[robot], SPACE, claims, payloads)
        previous[robot] = pack.hash
        yield encode(pack, payloads)
