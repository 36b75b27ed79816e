# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Fuzz every parser of outside bytes: ``fuzz/run.py --seconds 60 [TARGET...]``, as `make fuzz` does.

A line for each target as it is done, then a table, then one JSON object in the last line.  The
exit code is 0 when nothing was found, 1 when something was, 2 when fuzzing is not possible here.
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

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent
# Seeds are made with what the tests make their files with.
for _folder in (_HERE, _ROOT / 'test'):
    if str(_folder) not in sys.path:
        sys.path.append(str(_folder))
os.environ['PYTHONPATH'] = os.pathsep.join(
    [*filter(None, [os.environ.get('PYTHONPATH')]), str(_HERE), str(_ROOT / 'test')]
)

from session import Outcome, REGRESSION_CORPUS, Session  # noqa: E402 - needs the path above
from target_list import target_names  # noqa: E402

_WORK_FOLDER = _ROOT / '.cache' / 'fuzz'
_HEADINGS = ('target', 'executions', 'edges', 'features', 'corpus', 'peak MB', 'findings')


def main() -> int:
    """Fuzz, or replay one input; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('targets', nargs='*', metavar='TARGET', help='which; all when none is')
    parser.add_argument('--seconds', type=int, default=60, help='for each target')
    parser.add_argument(
        '--jobs', type=int, default=os.cpu_count() or 1, help='targets at the same time'
    )
    parser.add_argument('--replay', type=Path, metavar='FILE', help='an input of one TARGET')
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
            f'and this is {version}: choose another with PYTHON=python3.12. What was found before '
            'is replayed by `make test` everywhere.',
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
            [sys.executable, _HERE / 'replay_inputs.py', name, findings, path],
            stdout=subprocess.DEVNULL,
            check=False,
        )
        for story in Path(findings).glob('*.txt'):
            print(story.read_text())
    print('nothing is wrong with it' if done.returncode == 0 else 'it is a finding')
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
