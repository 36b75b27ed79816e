# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from edgetpu_retrain.demo import photographs
from edgetpu_retrain.demo.photographs import read_photograph, SUBJECTS
import pytest

FOLDER = Path(photographs.__file__).parent


@pytest.mark.parametrize('subject', SUBJECTS)
def test_every_subject_has_a_colour_photograph(subject: str) -> None:
    photograph = read_photograph(subject)
    height, width, channels = photograph.shape
    assert min(height, width) >= 300
    assert channels == 3


@pytest.mark.parametrize('subject', SUBJECTS)
def test_every_photograph_is_small_and_its_licence_recorded(subject: str) -> None:
    name = f'{subject}.jpg'
    assert (FOLDER / name).stat().st_size <= 60 * 1024
    rows = [
        line for line in (FOLDER / 'README.md').read_text().splitlines() if f'`{name}`' in line
    ]
    assert len(rows) == 1


def test_there_are_at_least_five_subjects_and_no_other_photographs() -> None:
    assert len(SUBJECTS) >= 5
    assert sorted(path.stem for path in FOLDER.glob('*.jpg')) == sorted(SUBJECTS)


def test_pictures_are_rgb() -> None:
    red, _, blue = read_photograph('coffee').mean(axis=(0, 1))
    assert red > 2 * blue


def test_an_unknown_subject_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'dog'.*astronaut.*rocket"):
        read_photograph('dog')
