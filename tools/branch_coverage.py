# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""How many branches of the package the tests have taken, and whether that is enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import json
from pathlib import Path
import sys

from coverage import Coverage

ROOT = Path(__file__).parents[1]
PACKAGE = 'edgetpu_retrain'

# Minimum branch coverage in percent: of learning, model files and store together, and of the whole
# package.
CORE = ('learning', 'model_file', 'store')
LEAST_IN_CORE = 92.0
LEAST_OVERALL = 85.0


@dataclass(frozen=True)
class Branches:
    """How many branches some files have, and how many of them were taken."""

    taken: int
    there: int

    @property
    def percentage(self) -> float:
        """Of those taken; 0 where nothing was measured, so that it is never enough."""
        return 100.0 * self.taken / self.there if self.there else 0.0

    def __str__(self) -> str:
        return f'{self.percentage:.1f} % ({self.taken} of {self.there} branches)'


def branches_of_rooms(files: Mapping[str, Mapping[str, Mapping[str, int]]]) -> dict[str, Branches]:
    """
    Add up the branches of each room.

    Args:
        files: path from the root, such as ``edgetpu_retrain/label.py``, to what
            coverage.py's JSON report has about it.

    Returns:
        Name of the folder below the package, '' = the package's own files, to its branches.
    """
    rooms: dict[str, Branches] = {}
    for path, measured in files.items():
        parts = Path(path).parts
        if parts[0] != PACKAGE:
            raise ValueError(f'{path} is not in {PACKAGE}/: is [paths] in .coveragerc right?')
        room = parts[1] if len(parts) > 2 else ''
        before = rooms.get(room, Branches(0, 0))
        summary = measured['summary']
        rooms[room] = Branches(
            before.taken + summary['covered_branches'], before.there + summary['num_branches']
        )
    return rooms


def total(parts: Iterable[Branches]) -> Branches:
    """Return the sum."""
    counted = list(parts)
    return Branches(sum(part.taken for part in counted), sum(part.there for part in counted))


def core_of(rooms: Mapping[str, Branches]) -> Branches:
    """Return the branches of the rooms in ``CORE``."""
    return total(rooms.get(room, Branches(0, 0)) for room in CORE)


def verdict(rooms: Mapping[str, Branches]) -> list[str]:
    """
    Return what is not enough, a sentence each.

    Args:
        rooms: see :func:`branches_of_rooms`.
    """
    limits = (
        (' + '.join(CORE), core_of(rooms), LEAST_IN_CORE),
        ('the whole package', total(rooms.values()), LEAST_OVERALL),
    )
    return [
        f'{name}: the tests take {found.percentage:.1f} % of the branches, and at least'
        f' {least:.0f} % is asked for'
        for name, found, least in limits
        if found.percentage < least
    ]


def measure(folder: Path) -> dict[str, Branches]:
    """
    Combine what the processes left in ``processes/``, and write ``missing.txt`` beside it.

    Args:
        folder: what COVERAGE_FILE pointed into.

    Returns:
        See :func:`branches_of_rooms`.
    """
    coverage = Coverage(str(folder / 'data'), config_file=str(ROOT / '.coveragerc'))
    coverage.combine([str(folder / 'processes')], strict=True)
    report = folder / 'report.json'
    coverage.json_report(outfile=str(report))
    with (folder / 'missing.txt').open('w', encoding='utf-8') as missing:
        coverage.report(show_missing=True, skip_covered=True, file=missing)
    return branches_of_rooms(json.loads(report.read_text(encoding='utf-8'))['files'])


def main(folder: Path) -> int:
    """
    Print the figures.

    Returns:
        The exit code: 1 = the tests take too few branches.
    """
    rooms = measure(folder)
    print('branches that the tests take:')
    for room, branches in sorted(rooms.items()):
        print(f'  {room or PACKAGE}: {branches}')
    print(f'  {" + ".join(CORE)}: {core_of(rooms)}')
    print(f'  overall: {total(rooms.values())}')
    print(f'those that they do not: {folder / "missing.txt"}')
    problems = verdict(rooms)
    for problem in problems:
        print(f'error: {problem}', file=sys.stderr)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(Path(sys.argv[1])))
