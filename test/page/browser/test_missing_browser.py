# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run of the tests says where there is no browser."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import pytest
from support.chromium import find_chromium, missing, VARIABLE

A_TEST = """
from support.chromium import require_browser
def test_first():
    require_browser()
def test_second():
    require_browser()
"""


def run(folder: Path, package_path: str, wanted: str) -> subprocess.CompletedProcess[str]:
    """Run two browser tests with a PATH that has no browser."""
    (folder / 'test_page.py').write_text(A_TEST)
    conftest = Path(__file__).parents[2] / 'conftest.py'
    (folder / 'conftest.py').write_text(conftest.read_text())
    return subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', folder],
        cwd=folder,
        env={**os.environ, 'PATH': str(folder), 'PYTHONPATH': package_path, VARIABLE: wanted},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_says_at_its_end_what_is_missing(tmp_path: Path, package_path: str) -> None:
    pytest.importorskip('playwright', reason='comes with `make test`')
    done = run(tmp_path, package_path, '')
    assert done.returncode == 0, done.stdout
    assert '2 browser tests did not run. Chromium is not installed: sudo apt-get' in done.stdout


def test_a_missing_browser_can_be_an_error(tmp_path: Path, package_path: str) -> None:
    done = run(tmp_path, package_path, 'required')
    assert done.returncode == 1
    assert '2 failed' in done.stdout
    assert 'is not installed: ' in done.stdout


def test_browser_tests_can_be_left_out(tmp_path: Path, package_path: str) -> None:
    done = run(tmp_path, package_path, 'off')
    assert done.returncode == 0
    assert '2 browser tests did not run. BROWSER_TESTS=off' in done.stdout


@pytest.mark.parametrize(
    'script',
    [
        '#!/bin/sh\nexec /snap/bin/chromium "$@"\n',
        '#!/bin/sh\nif ! [ -x /snap/bin/chromium ]; then exit 1; fi\n',
    ],
)
def test_a_snap_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / 'chromium-browser'
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path))
    assert find_chromium() is None
    program.write_text('#!/bin/sh\nexec /usr/lib/chromium/chromium "$@"\n')
    assert find_chromium() == str(program)
    if 'Playwright' not in missing():
        assert missing() == ''
