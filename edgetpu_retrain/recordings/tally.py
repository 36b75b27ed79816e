# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Tally: counts the pictures of a recording that were found, used and left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from edgetpu_retrain.wording import counted, named


@dataclass
class Tally:
    """
    Numbers of pictures found and left out, and of other files.

    Args:
        found: number of pictures in the recording, used or not.
        left_out: number of pictures that are not used, by reason, such as 'not readable'.
        other_files: numbers of files that are not pictures, by ending or name, such as '.txt', and
            of folders that other programs created, by name and slash, such as '@eaDir/'.
    """

    found: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    other_files: Counter[str] = field(default_factory=Counter)

    @property
    def used(self) -> int:
        """Number of pictures that were found and not left out."""
        return self.found - self.left_out.total()

    @property
    def others(self) -> str:
        """The files that are not pictures, as text; ``''`` = none."""
        most_first = sorted(self.other_files.items(), key=lambda item: (-item[1], item[0]))
        kinds = named([f'{count} {kind}' for kind, count in most_first])
        return kinds and f'other files: {kinds}'

    def line(self, done: str, one: str = 'picture', many: str = 'pictures') -> str:
        """
        Return the tally as text.

        Args:
            done: what happened to the used pictures, such as 'stored'.
            one: the noun for one picture.
            many: the noun for several pictures.

        >>> Tally(7, Counter({'not readable': 2, 'near duplicates': 0})).line('stored')
        '7 pictures found, 5 stored, 2 left out (2 not readable)'
        >>> Tally(1, other_files=Counter({'.txt': 3, '@eaDir/': 1})).line('stored')
        '1 picture found, 1 stored, 0 left out; other files: 3 .txt, 1 @eaDir/'
        """
        reasons = ', '.join(f'{count} {why}' for why, count in self.left_out.items() if count)
        return (
            f'{counted(self.found, one, many)} found, {self.used} {done}, '
            f'{self.left_out.total()} left out{f" ({reasons})" if reasons else ""}'
            f'{self.others and f"; {self.others}"}'
        )

    def as_dict(self) -> dict[str, object]:
        """Return the tally as JSON fields; reasons without pictures are omitted."""
        return {
            'found': self.found,
            'left_out': dict(+self.left_out),
            'other_files': dict(self.other_files),
        }
