# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
import re

from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.extractors.near_copies import min_novelty_of
from edgetpu_retrain.model_file.description import describe

CORAL_PAGE = Path(__file__).parents[2] / 'docs' / 'coral.md'


def test_what_suits_an_extractor_is_known_by_its_identity() -> None:
    default = describe(default_extractor_path().read_bytes()).identity
    assert min_novelty_of(0.0, default) == 0.03
    coral = re.findall(r'mobilenet_v1\S* \| .* \| `(\w{64})`', CORAL_PAGE.read_text())
    assert len(coral) == 2
    assert [min_novelty_of(0.0, each) for each in coral] == [0.023, 0.023]
    assert min_novelty_of(0.0, 'f' * 64) == 0.01


def test_a_choice_comes_first_and_a_negative_one_keeps_copies() -> None:
    assert min_novelty_of(0.5, 'f' * 64) == 0.5
    assert min_novelty_of(-1.0, 'f' * 64) == 0.0
