# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Fuzzes every parser of untrusted bytes: ``make fuzz SECONDS=60 [ARGS=TARGET...]``.

It prints a line for each finished target, then a table, then a JSON object in the last line.  The
exit code is 0 without findings, 1 with findings, and 2 where fuzzing is not possible.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
import dataclasses
import importlib.util
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile

from fuzz.session import Outcome, REGRESSION_CORPUS, Session
from fuzz.target_list import target_names

_ROOT = Path(__file__).resolve().parents[1]
_WORK_FOLDER = _ROOT / '.cache' / 'fuzz'
_HEADINGS = ('target', 'executions', 'edges', 'features', 'corpus', 'peak MB', 'findings')


def main() -> int:
    """Fuzz, or replay one input; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'targets', nargs='*', metavar='TARGET', help='targets to fuzz; default: all'
    )
    parser.add_argument('--seconds', type=int, default=60, help='time for each target')
    parser.add_argument(
        '--jobs',
        type=int,
        default=os.cpu_count() or 1,
        help='number of targets fuzzed in parallel',
    )
    parser.add_argument('--replay', type=Path, metavar='FILE', help='run TARGET on one input')
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(target_names())
    if unknown or arguments.seconds < 1 or arguments.jobs < 1:
        parser.error(f'give positive numbers, and targets of: {", ".join(target_names())}')
    if arguments.replay is not None:
        if len(arguments.targets) != 1:
            parser.error('--replay needs the one TARGET that the file is an input of')
        return _replay(arguments.targets[0], arguments.replay)
    if importlib.util.find_spec('atheris') is None:
        version = '.'.join(map(str, sys.version_info[:2]))
        print(
            f'error: fuzzing needs atheris, which has wheels for Python 3.11 to 3.13 on x86_64, '
            f'and this is {version}: choose another one with PYTHON=python3.12. `make test` '
            'replays earlier findings on any Python.',
            file=sys.stderr,
        )
        return 2
    names = arguments.targets or target_names()
    with ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = list(pool.map(lambda name: _fuzz(name, arguments.seconds), names))
    _print_table(outcomes)
    for outcome in outcomes:
        for path in outcome.findings:
            print(
                f'{path.relative_to(_ROOT)} is a finding: replay it with '
                f"make fuzz ARGS='--replay {path.relative_to(_ROOT)} {outcome.target}'"
            )
    findings = sum(len(outcome.findings) for outcome in outcomes)
    print(json.dumps(_summary(outcomes, arguments.seconds, findings)))
    return 1 if findings else 0


def _fuzz(name: str, seconds: int) -> Outcome:
    outcome = Session(name, _WORK_FOLDER / name).fuzz(seconds)
    print(
        f'{name}: {outcome.executions} executions, {len(outcome.findings)} findings',
        file=sys.stderr,
        flush=True,
    )
    return outcome


def _replay(name: str, path: Path) -> int:
    with tempfile.TemporaryDirectory() as findings:
        done = subprocess.run(
            [sys.executable, '-m', 'fuzz.replay_inputs', name, findings, path],
            stdout=subprocess.DEVNULL,
            check=False,
        )
        for story in Path(findings).glob('*.txt'):
            print(story.read_text())
    print(
        'the target accepts or rejects it properly' if done.returncode == 0 else 'it is a finding'
    )
    return 0 if done.returncode == 0 else 1


def _print_table(outcomes: list[Outcome]) -> None:
    rows = [_HEADINGS] + [
        (
            outcome.target,
            str(outcome.executions),
            str(outcome.edges),
            str(outcome.features),
            str(outcome.corpus),
            f'{outcome.peak_bytes / 1e6:.1f}',
            str(len(outcome.findings)),
        )
        for outcome in outcomes
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *numbers = (
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print('  '.join([first, *numbers]))


def _summary(outcomes: list[Outcome], seconds: int, findings: int) -> dict[str, object]:
    targets = {}
    for outcome in outcomes:
        fields = dataclasses.asdict(outcome)
        name = fields.pop('target')
        fields['findings'] = [
            str(path.relative_to(REGRESSION_CORPUS)) for path in outcome.findings
        ]
        targets[name] = fields
    return {
        'seconds': seconds,
        'executions': sum(outcome.executions for outcome in outcomes),
        'findings': findings,
        'targets': targets,
    }


if __name__ == '__main__':
    sys.exit(main())
