# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from edgetpu_retrain.fleet.hub.reports import Report
from edgetpu_retrain.fleet_demo.course import doubts
import pytest


@pytest.mark.parametrize(
    ('report', 'found'),
    [
        (Report('ada', 0, gate='model version 5 is trained on 96 samples of the fleet'), []),
        (
            Report('ada', 0, gate="model version 5 is trained on 84 samples; without 'coffee'"),
            ["ada: without 'coffee'"],
        ),
        (Report('ada', 0, gate='the class would vanish'), ['ada: the class would vanish']),
        (Report('ada', 0, quarantine=2), ['ada: 2 packs in quarantine']),
        (Report('ada', 0, disagreements=3), ['ada: teachers disagree about 3 samples']),
        (Report('ada', 0, problems=('no disk.',)), ['ada: no disk.']),
    ],
)
def test_only_what_is_not_trusted_is_a_doubt(report: Report, found: list[str]) -> None:
    assert sorted(doubts([report])) == found
