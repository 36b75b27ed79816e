# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Fuzzes one target in processes of its own, and collects the results."""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
import os
from pathlib import Path
import re
import shutil
import signal
import subprocess
import sys
import time

from fuzz.target import scratch_folder
from fuzz.target_list import load_target

REGRESSION_CORPUS = Path(__file__).resolve().parents[1] / 'test' / 'fuzz' / 'corpus'
"""A folder for each target with inputs that `make test` replays: earlier findings."""

_RSS_LIMIT_MB = 2048
# A crash or hang ends the process, which is then started again.
_MOST_STARTS = 10
_STATUS = re.compile(r'cov: (\d+) ft: (\d+)')
_EXECUTIONS = re.compile(r'stat::number_of_executed_units:\s+(\d+)')
_PROGRESS = re.compile(r'^#(\d+)\s', re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """
    The results of fuzzing one target.

    Args:
        target: its name.
        executions: number of inputs that were run.
        edges: edges of the package's control flow that they reached, as libFuzzer counts them.
        features: edges, counted separately for different numbers of passes.
        corpus: number of inputs kept because they reached something new.
        peak_bytes: the largest memory use of one input.
        findings: regression cases that were written, one for each finding.
    """

    target: str
    executions: int
    edges: int
    features: int
    corpus: int
    peak_bytes: int
    findings: tuple[Path, ...]


class Session:
    """
    Fuzzes one target.

    Args:
        name: the target's name.
        folder: folder for the corpus, which later runs reuse, and for files of this run.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder
        self._log = folder / 'log.txt'
        for each in ('seeds', 'findings', 'artifacts'):
            shutil.rmtree(folder / each, ignore_errors=True)
        for each in ('corpus', 'seeds', 'findings', 'artifacts'):
            (folder / each).mkdir(parents=True, exist_ok=True)

    def fuzz(self, seconds: int) -> Outcome:
        """Fuzz for some seconds, then replay the corpus under the memory budget."""
        target = load_target(self._name)
        for seed in target.seeds():
            name = hashlib.sha256(seed).hexdigest()[:16]
            (self._folder / 'seeds' / name).write_bytes(seed)
        self._log.write_text('')
        executions, starts, begin = 0, 0, time.monotonic()
        while starts < _MOST_STARTS:
            left = round(seconds - (time.monotonic() - begin))
            if starts and left < 2:
                break
            starts += 1
            words, healthy = self._run_fuzzer(max(left, 1), target.max_bytes)
            executions += _executions(words)
            if healthy:
                break
        edges, features = _coverage(self._log.read_text(errors='replace'))
        peak = self._measure()
        return Outcome(
            target=self._name,
            executions=executions,
            edges=edges,
            features=features,
            corpus=sum(1 for _ in (self._folder / 'corpus').iterdir()),
            peak_bytes=peak,
            findings=tuple(self._keep_findings()),
        )

    def _run_fuzzer(self, seconds: int, max_bytes: int) -> tuple[str, bool]:
        """Return what libFuzzer printed, and whether it ended normally."""
        known = REGRESSION_CORPUS / self._name
        with scratch_folder() as scratch:
            done = subprocess.run(
                [
                    sys.executable,
                    '-m',
                    'fuzz.fuzz_target',
                    self._name,
                    self._folder,
                    scratch,
                    f'-max_total_time={seconds}',
                    f'-max_len={max_bytes}',
                    # fuzz_target.py detects hangs itself, and 0 would mean a default.
                    '-timeout=100000',
                    f'-rss_limit_mb={_RSS_LIMIT_MB}',
                    f'-artifact_prefix={self._folder}/artifacts/',
                    '-print_final_stats=1',
                    # Libraries would fill the log with messages about broken input.
                    '-close_fd_mask=3',
                    self._folder / 'corpus',
                    self._folder / 'seeds',
                    *([known] if known.is_dir() else []),
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors='replace',
                env=_environment(),
                check=False,
            )
        with self._log.open('a') as log:
            log.write(done.stderr)
        if done.returncode:
            self._keep_last_input(done)
        return done.stderr, done.returncode == 0

    def _keep_last_input(self, done: subprocess.CompletedProcess[str]) -> None:
        """Store the input that ended the process."""
        last, hang = self._folder / 'last_input', self._folder / 'hang.txt'
        artifacts = self._folder / 'artifacts'
        if hang.is_file() and hang.stat().st_size:
            # libFuzzer has stored it as well, as the cause of an unexpected exit.
            shutil.rmtree(artifacts)
            artifacts.mkdir()
            name = 'hang'
        elif any(artifacts.iterdir()):
            return
        elif done.returncode < 0 and last.is_file():
            name = signal.Signals(-done.returncode).name
        else:
            raise SystemExit(
                f'error: the fuzzer of {self._name} ended with {done.returncode}:\n'
                f'{done.stderr[-3000:]}'
            )
        shutil.copyfile(last, artifacts / f'{name}-{self._digest(last)}')

    def _digest(self, path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:8]

    def _measure(self) -> int:
        """Replay the corpus under the memory budget; return the largest memory use, bytes."""
        done = subprocess.run(
            [
                sys.executable,
                '-m',
                'fuzz.replay_inputs',
                self._name,
                self._folder / 'findings',
                self._folder / 'corpus',
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=_environment(),
            check=False,
        )
        lines = done.stdout.split()
        return int(lines[-1]) if lines else 0

    def _keep_findings(self) -> list[Path]:
        """Copy all findings to the regression corpus; return the copies."""
        found = [
            path for path in (self._folder / 'findings').iterdir() if path.suffix != '.txt'
        ] + list((self._folder / 'artifacts').iterdir())
        kept = []
        for path in sorted(found):
            folder = REGRESSION_CORPUS / self._name
            folder.mkdir(parents=True, exist_ok=True)
            kept.append(folder / path.name[:40])
            shutil.copyfile(path, kept[-1])
        return kept


def _environment() -> dict[str, str]:
    # One thread, because thread pools cost memory and speed nothing up here.  One arena, because
    # glibc reserves 64 MB of the limited address space for each thread, and faulthandler starts a
    # thread for each input.
    threads = dict.fromkeys(('OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MALLOC_ARENA_MAX'), '1')
    return {**os.environ, **threads}


def _executions(words: str) -> int:
    final = _EXECUTIONS.findall(words)
    return int(final[-1]) if final else max(map(int, _PROGRESS.findall(words)), default=0)


def _coverage(words: str) -> tuple[int, int]:
    pairs = [(int(edges), int(features)) for edges, features in _STATUS.findall(words)]
    return max(pairs, default=(0, 0))
