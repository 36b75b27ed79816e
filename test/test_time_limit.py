# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A test that does not end: it must end the run and be named, not be waited for."""

import os
from pathlib import Path
import subprocess
import sys

from support.time_limit import VARIABLE

TESTS = Path(__file__).parent

ENDLESS = """
import threading

def test_that_ends():
    pass

def test_without_end():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
"""


def test_a_test_without_end_is_ended_with_its_traceback(tmp_path: Path) -> None:
    (tmp_path / 'test_endless.py').write_text(ENDLESS)
    options = ('-p', 'no:cacheprovider', '-p', 'support.time_limit')
    # Long enough for the test that ends, on a busy machine.
    limit = {VARIABLE: '10'}
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', *options, '.'],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(TESTS), **limit},
        capture_output=True,
        text=True,
        timeout=90.0,
        check=False,
    )
    assert done.returncode == 1
    assert 'Timeout' in done.stderr
    assert 'in test_without_end' in done.stderr
