# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The soak test for a few seconds, with a node that cannot capture in time."""

from __future__ import annotations

import json
import os
import subprocess
import sys

MINUTES = 0.25
# Hardly any frame arrives in this time, so captures fail.
NO_TIME = 'sample_timeout_s:=0.001'


def test_a_short_soak_reports_all_figures_and_errors(package_path: str) -> None:
    command = ['-m', 'benchmarks.soak.run', '--minutes', str(MINUTES), '--training-period', '2']
    ended = subprocess.run(
        [sys.executable, *command, '--samples', '80', '--parameter', NO_TIME],
        env={**os.environ, 'PYTHONPATH': package_path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout, ended.stderr
    *_, last = ended.stdout.splitlines()
    figures = json.loads(last)
    for name in ('memory_drift', 'p99_drift', 'peer_p99_drift', 'frame_p99_drift'):
        assert isinstance(figures[name], float)
    for name in ('handles', 'threads'):
        assert figures[f'{name}_start'] > 1
        assert figures[f'{name}_end'] > 1
    assert figures['minutes'] >= MINUTES
    assert figures['samples'] == 80
    assert 0 < figures['frames_answered'] <= figures['frames']
    assert figures['counts']['trainings'] > 0
    assert figures['counts']['list_samples'] > 0
    errors = [line for line in ended.stdout.splitlines() if line.startswith('error: ')]
    assert figures['errors'] >= len(errors) > 0
    assert any('Time is up after 0.001 s' in line for line in errors)
    # On a busy machine, also where the node has more time.
    assert [line for line in errors if 'Time is up after' not in line] == []
