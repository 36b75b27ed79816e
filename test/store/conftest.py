# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests of the store: full and read-only disks, locked files, killed processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, ExitStack
import os
from pathlib import Path
import resource
import signal
import subprocess
import sys

import edgetpu_retrain.errors
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.permissions import without
from support.samples import add_sample

EXTRACTOR = 'a' * 64
SOURCE_FOLDER = Path(edgetpu_retrain.errors.__file__).parents[1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'samples.db'


@pytest.fixture
def samples(path: Path) -> Iterator[SampleStore]:
    with SampleStore(path) as store:
        yield store


@pytest.fixture
def teach() -> Callable[..., list[int]]:
    """Store samples of a class in one request, with different embeddings."""
    rng = np.random.default_rng(1)

    def add(
        store: SampleStore,
        label: str,
        times: int = 1,
        *,
        extractor: str = EXTRACTOR,
        image: bytes | None = None,
    ) -> list[int]:
        ids: list[int] = []
        for _ in range(times):
            ids.append(
                add_sample(
                    store,
                    label,
                    rng.integers(0, 256, 8, dtype=np.uint8),
                    extractor=extractor,
                    quantization=QuantizationParameters(0.5, 3),
                    addition=ids[0] if ids else 0,
                    image=image,
                )
            )
        return ids

    return add


@pytest.fixture
def disk_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Record flushed and renamed files in order, and still flush and rename them."""
    calls: list[tuple[str, str]] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        calls.append(('flush', Path(f'/proc/self/fd/{descriptor}').readlink().name))
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        calls.append(('rename', Path(target).name))
        return real_replace(self, target)

    monkeypatch.setattr(os, 'fsync', fsync)
    monkeypatch.setattr(Path, 'replace', replace)
    return calls


@pytest.fixture
def file_size_limit() -> Callable[[int], AbstractContextManager[None]]:
    """Limit the size of all files that this process writes, in bytes."""

    @contextmanager
    def limit(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit


@pytest.fixture
def read_only() -> Callable[[Path], AbstractContextManager[None]]:
    """Remove write permission from a folder and its files."""
    return lambda folder: without(0o222, (folder, *folder.iterdir()))


@pytest.fixture
def unlisted() -> Callable[[Path], AbstractContextManager[None]]:
    """Remove read permission from a folder; its files can still be opened and created."""
    return lambda folder: without(0o444, (folder,))


@pytest.fixture
def start_python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start Python with the package in its path and variables; return the process, with pipes."""
    search = os.pathsep.join([str(SOURCE_FOLDER), *sys.path])
    # One thread, because dozens of short processes need no thread pools.
    environment = {**os.environ, 'PYTHONPATH': search, 'OPENBLAS_NUM_THREADS': '1'}
    # A killed process cannot report its coverage, so do not measure it.
    environment.pop('COVERAGE_PROCESS_START', None)
    with ExitStack() as started:

        def start(*arguments: str | Path, **variables: str) -> subprocess.Popen[str]:
            child = subprocess.Popen(
                [sys.executable, *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**environment, **variables},
            )
            started.enter_context(child)
            started.callback(child.kill)
            return child

        yield start


@pytest.fixture
def run_and_kill(
    start_python: Callable[..., subprocess.Popen[str]],
) -> Callable[[str, Path, int], list[int]]:
    """
    Run a script that prints a number a line, kill it after so many, return all it printed.

    The script gets the path as its argument.  It is killed (SIGKILL) while it goes on, so what
    it printed is what it had acknowledged.
    """

    def run(script: str, path: Path, lines: int) -> list[int]:
        child = start_python('-c', script, path)
        assert child.stdout is not None
        printed = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        # Read what was printed before the kill.
        printed += child.stdout.readlines()
        assert child.wait() == -signal.SIGKILL
        # An incomplete line was not acknowledged.
        return [int(line) for line in printed if line.endswith('\n')]

    return run
