# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Changes the files of a store while another process writes to it, and checks what is lost."""

# Without `from __future__ import annotations`, with which pytest 6 cannot load a dataclass.

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import queue
import random
import shutil
import sqlite3
import subprocess
import threading
import time
from typing import Any

from edgetpu_retrain.store.database.backup import back_up
from edgetpu_retrain.store.database.open_files import SUFFIXES
from support.waiting import PATIENCE_S

CHANGES = 200
SEED = 20_261
# How long to write after each change, nanoseconds.
WRITING_NS = 10_000_000
# Far more than it writes within that time.
_MOST_LINES = 3000
WRITER = Path(__file__).with_name('writer_to_disturb.py')

Stamps = set[int]


def stamps_in(path: Path) -> Stamps:
    """Return the stamps of all samples in a database, after a check of the file."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
        rows = connection.execute('SELECT stamp_ns FROM samples JOIN embeddings ON sample_id = id')
        return {stamp for (stamp,) in rows}


def files_of(path: Path) -> list[Path]:
    return [Path(f'{path}{suffix}') for suffix in SUFFIXES]


class Writer:
    """The process that writes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.acknowledged: dict[int, int] = {}
        """Stamp to time."""
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def say(self) -> None:
        """Start the writing, or pause it."""
        assert self.process.stdin is not None
        self.process.stdin.write('\n')
        self.process.stdin.flush()

    def next_line(self) -> dict[str, Any]:
        """Wait for the next line."""
        line = self._lines.get(timeout=PATIENCE_S)
        assert line is not None, 'the writer has ended'
        if 'begun' in line:
            self.acknowledged[line['stamp']] = line['begun']
        return line

    def write_until(self, time_ns: int) -> list[dict[str, Any]]:
        """
        Let it write until a request that begins after a time is acknowledged, and pause it.

        If the database is damaged, nothing is acknowledged, and it is paused at once.

        Returns:
            What it has printed.
        """
        lines = [self.next_line()]
        while lines[-1].get('begun', 0) < time_ns and ' is damaged ' not in str(lines[-1]):
            lines.append(self.next_line())
            assert len(lines) < _MOST_LINES, lines[-5:]
        self.say()
        return [*lines, *iter(self.next_line, {'paused': True})]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)


@dataclass
class Person:
    """Somebody who changes the files of a store."""

    path: Path
    chance: random.Random
    backups: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cures = (self.delete, self.move, self.move_folder, self.replace, self.delete_and_copy)
        """The changes after which the database is not damaged, even if it was."""
        self.changes = (
            self.delete_one,
            self.move_database,
            self.overwrite,
            self.cut_database,
            self.cut_log,
            self.touch,
        )

    def back_up(self) -> None:
        """Make a backup now and then."""
        if not self.backups or self.chance.random() < 0.3:
            backup = self.elsewhere() / 'backup.db'
            assert not back_up(self.path, backup)
            self.backups.append(backup)

    def elsewhere(self) -> Path:
        """Return a new folder."""
        folder = self.path.parent.parent / f'{time.monotonic_ns()}'
        folder.mkdir()
        return folder

    def delete(self) -> None:
        """Delete all files."""
        for file in self.some():
            file.unlink(missing_ok=True)

    def some(self) -> list[Path]:
        """Return the files of the database, the database first or last."""
        files = files_of(self.path)
        return files if self.chance.random() < 0.5 else files[::-1]

    def delete_one(self) -> None:
        """Delete one of the files."""
        self.chance.choice(files_of(self.path)).unlink(missing_ok=True)

    def move(self) -> None:
        """Move all files to another folder."""
        folder = self.elsewhere()
        for file in self.some():
            with suppress(FileNotFoundError):
                file.rename(folder / file.name)

    def move_database(self) -> None:
        """Move only the database to another folder."""
        folder = self.elsewhere()
        with suppress(FileNotFoundError):
            self.path.rename(folder / self.path.name)

    def move_folder(self) -> None:
        """Move the whole folder, and put a new one in its place."""
        folder = self.elsewhere() / 'data'
        self.path.parent.rename(folder)
        self.path.parent.mkdir(exist_ok=True)

    def replace(self) -> None:
        """Replace the database by a backup, whose file is a new one."""
        copy = self.elsewhere() / 'copy.db'
        shutil.copyfile(self.backup(), copy)
        if self.chance.random() < 0.5:
            for file in files_of(self.path)[1:]:
                file.unlink(missing_ok=True)
        copy.replace(self.path)

    def overwrite(self) -> None:
        """Restore a backup by overwriting the database in place."""
        backup = self.backup()
        if self.chance.random() < 0.5:
            for file in files_of(self.path)[1:]:
                file.unlink(missing_ok=True)
        shutil.copyfile(backup, self.path)

    def delete_and_copy(self) -> None:
        """Delete all files, wait a little, and copy a backup."""
        self.delete()
        time.sleep(self.chance.uniform(0.0, 0.05))
        shutil.copyfile(self.backup(), self.path)

    def cut_database(self) -> None:
        """Cut the database off."""
        with suppress(FileNotFoundError):
            os.truncate(self.path, self.chance.randrange(self.path.stat().st_size))

    def cut_log(self) -> None:
        """Cut the write-ahead log off."""
        log = files_of(self.path)[1]
        with suppress(FileNotFoundError):
            os.truncate(log, self.chance.randrange(log.stat().st_size + 1))

    def touch(self) -> None:
        """Only set the time of the database."""
        with suppress(FileNotFoundError):
            os.utime(self.path)

    def backup(self) -> Path:
        """Return one of the backups."""
        return self.chance.choice(self.backups)


def state_after_a_kill(path: Path, folder: Path) -> Path:
    """Copy what a process that starts after a kill would find."""
    for file in files_of(path)[:2]:
        with suppress(FileNotFoundError):
            shutil.copyfile(file, folder / file.name)
    return folder / path.name


def test_whatever_happens_to_the_files_nothing_acknowledged_since_is_missing(
    tmp_path: Path, start_python: Callable[..., subprocess.Popen[str]]
) -> None:
    (tmp_path / 'data').mkdir()
    chance = random.Random(SEED)
    person = Person(tmp_path / 'data' / 'samples.db', chance)
    writer = Writer(start_python(WRITER, person.path))
    writer.say()
    writer.write_until(1)
    is_damaged = False
    for _ in range(CHANGES):
        if not is_damaged:
            person.back_up()
        change = chance.choice(person.cures if is_damaged else (*person.cures, *person.changes))
        writer.say()
        for _ in range(chance.randrange(60)):
            writer.next_line()
        change()
        done = time.monotonic_ns()
        lines = writer.write_until(done + WRITING_NS)
        since = {stamp for stamp, begun in writer.acknowledged.items() if begun > done}
        story = f'{change.__name__}, then {lines}'
        was_damaged, is_damaged = is_damaged, not since
        # A damaged database is not open.  What is cut from the log may not be in use any more.
        quiet = was_damaged or change in (person.cut_log, person.touch)
        # What overwrites it during a checkpoint of its own looks like a part of the checkpoint.
        quiet |= change == person.overwrite and 'is damaged' in str(lines[-1].get('error'))
        assert quiet or any('changed' in line for line in lines), story
        if not is_damaged:
            copy = state_after_a_kill(person.path, person.elsewhere())
            assert since <= stamps_in(copy), story
    assert writer.process.poll() is None
