# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A small release, and the roster in which its publisher may release."""

from __future__ import annotations

from edgetpu_retrain.fleet.releases.release import Release
from edgetpu_retrain.fleet.roster import roster_message
from edgetpu_retrain.learning import Head
from edgetpu_retrain.learning.unknown import UnknownDetector
import numpy as np
from support.fleet_members import FLEET, member, NOW_MS, robot_key, roster, SPACE

KEY = robot_key(1)
ROSTER = roster_message.read(roster([member(1, 'teach', 'release'), member(2)]), FLEET.public)
RNG = np.random.default_rng(0)
HEAD = Head(
    RNG.normal(size=(8, 3)).astype(np.float32),
    RNG.normal(size=3).astype(np.float32),
    ('cup', 'hose', 'mug'),
    (-3.0, 5.0),
    0.5,
    UnknownDetector(
        np.zeros(8, np.float32), np.ones(8, np.float32), -0.25, np.eye(8, 2, dtype=np.float32), 0.5
    ),
)
FRONTIER = {KEY.public: {'0123456789abcdef': [4, '5' * 64]}}
RELEASE = Release(
    KEY.public, NOW_MS, SPACE.id, FRONTIER, 0.1, HEAD, {'cup': 3, 'hose': 4, 'mug': 5}, 0.9
)
