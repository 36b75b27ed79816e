# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter

from edgetpu_retrain.recordings.tally import Tally


def test_it_names_the_reasons_and_adds_them_up() -> None:
    tally = Tally(7, Counter({'not readable': 2, 'near duplicates': 0, 'elsewhere': 1}))
    assert tally.used == 4
    assert tally.line('stored') == (
        '7 pictures found, 4 stored, 3 left out (2 not readable, 1 elsewhere)'
    )
    assert Tally(1).line('played', 'image', 'images') == '1 image found, 1 played, 0 left out'
    assert tally.as_dict() == {
        'found': 7,
        'left_out': {'not readable': 2, 'elsewhere': 1},
        'other_files': {},
    }
