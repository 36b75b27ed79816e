# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The checks of tools/aarch64.sh for missing programs, and the verdicts of its table."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import re
import shutil
import subprocess
import sys
from typing import Any

from edgetpu_retrain.demo.photographs import SUBJECTS
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.head.append_head import append_head
import numpy as np
import pytest
from support.small_models import build_extractor

TOOLS = Path(__file__).parents[1] / 'tools'
PROGRAM = TOOLS / 'aarch64_comparison.py'
RNG = np.random.default_rng(0)
TENSORS = RNG.integers(0, 255, (36, 1, 8, 8, 3), np.uint8)
EMBEDDINGS = RNG.integers(0, 255, (36, 8), np.uint8)
PHOTOGRAPHS = {each: RNG.integers(0, 255, (4, 4, 3), np.uint8) for each in SUBJECTS}
WEIGHTS = RNG.normal(0, 0.5, (8, 3)).astype(np.float32)

Change = Callable[[Path], None]


def model(weights: Any) -> bytes:
    head = Head(weights, np.zeros(3, np.float32), ('a', 'b', 'c'), (-9.0, 9.0))
    return append_head(build_extractor('uint8'), head)


# What imports ROS when a test module imports it.
NEEDS_ROS = re.compile(
    r'^(?:from|import) (?:rclpy|\w+_(?:msgs|srvs|interfaces)\b'
    r'|edgetpu_retrain\.(?:client|node|replay|processes\.spinning)'
    r'|support\.(?:lone_node|person|robot_|running_node))',
    re.MULTILINE,
)


def test_the_script_leaves_out_all_tests_that_import_ros() -> None:
    script = (TOOLS / 'aarch64.sh').read_text(encoding='utf-8')
    (listed,) = re.findall(r'^not_here=\(([^)]*)\)', script, re.MULTILINE)
    tests = TOOLS.parent / 'test'
    left_out = [tests / each for each in listed.split()]
    assert all(each.exists() for each in left_out)
    importing = [
        path
        for path in sorted(tests.rglob('test_*.py'))
        if NEEDS_ROS.search(path.read_text(encoding='utf-8'))
        and not any(path.is_relative_to(each) for each in left_out)
    ]
    assert importing == []


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Return the files of two processors with equal results."""
    for place in ('x86_64', 'aarch64'):
        here = tmp_path / place
        here.mkdir()
        (here / 'versions.json').write_text('{"numpy": "1.26.4"}')
        np.savez(here / 'photographs.npz', **PHOTOGRAPHS)
        np.save(here / 'tensors.npy', TENSORS)
        for name in ('xnnpack', 'plain', 'cortex-a72'):
            np.save(here / f'{name}.npy', EMBEDDINGS)
        for name in ('model', 'model_of_carried_samples'):
            (here / f'{name}.tflite').write_bytes(model(WEIGHTS))
    write_facts(tmp_path, right=18, present=36)
    return tmp_path


def write_facts(shared: Path, *, right: int, present: int) -> None:
    facts = {
        'answers': {'right': right, 'pictures': 18},
        'merged': {'present': present, 'added': 36 - present},
    }
    (shared / 'aarch64' / 'merged.json').write_text(json.dumps(facts))


def changed(values: Any, by: int) -> Any:
    """Return values with one changed number."""
    other = values.copy()
    other.flat[0] = int(other.flat[0]) + (by if other.flat[0] < 128 else -by)
    return other


def table(shared: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROGRAM), 'table', str(shared), 'aarch64', 'cortex-a72'],
        env={'PYTHONPATH': ':'.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )


def test_processors_that_compute_the_same(shared: Path) -> None:
    done = table(shared)
    assert (done.returncode, done.stderr) == (0, '')
    assert '36 of 36 the same, cosine distance up to 0.0000' in done.stdout
    assert 'NO' not in done.stdout


def test_a_rounding_error_is_tolerated_in_one_sample(shared: Path) -> None:
    np.save(shared / 'aarch64' / 'tensors.npy', changed(TENSORS, 1))
    write_facts(shared, right=18, present=35)
    done = table(shared)
    assert done.returncode == 0
    assert '35 of 36 the same, others off by 1 of 255' in done.stdout


@pytest.mark.parametrize(
    ('change', 'row'),
    [
        (lambda here: np.save(here / 'tensors.npy', changed(TENSORS, 2)), 'resized'),
        (lambda here: np.save(here / 'cortex-a72.npy', changed(EMBEDDINGS, 1)), 'with XNNPACK'),
        (lambda here: np.save(here / 'plain.npy', EMBEDDINGS[::-1]), 'without XNNPACK'),
        (lambda here: write_facts(here.parent, right=17, present=36), 'asked here'),
        (lambda here: write_facts(here.parent, right=18, present=34), 'merged here'),
        (lambda here: (here / 'versions.json').write_text('{"numpy": "2.0.0"}'), 'versions'),
        (
            lambda here: (here / 'model_of_carried_samples.tflite').write_bytes(
                model(WEIGHTS * [1, 1, 0.99])
            ),
            'the same samples',
        ),
    ],
    ids=lambda value: value.replace(' ', '_') if isinstance(value, str) else '',
)
def test_a_difference_that_matters_fails_its_row(shared: Path, change: Change, row: str) -> None:
    change(shared / 'aarch64')
    done = table(shared)
    assert done.returncode == 1
    failed = [line for line in done.stdout.splitlines() if line.endswith('NO')]
    assert any(row in line for line in failed), done.stdout


@pytest.fixture
def run_on(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run the script on a machine without any of its programs."""
    programs = tmp_path / 'bin'
    programs.mkdir()
    for name in ('bash', 'dirname', 'id'):
        where = shutil.which(name)
        assert where is not None
        (programs / name).symlink_to(where)

    def run(machine: str) -> subprocess.CompletedProcess[str]:
        (programs / 'uname').write_text(f'#!{programs}/bash\necho {machine}\n')
        (programs / 'uname').chmod(0o700)
        return subprocess.run(
            [programs / 'bash', TOOLS / 'aarch64.sh', 'test'],
            env={'PATH': str(programs)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_names_the_missing_packages(
    run_on: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    done = run_on('Linux x86_64')
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith('  sudo apt-get install mmdebstrap arch-test qemu-user-static ')


def test_on_aarch64_itself_make_test_is_suggested(
    run_on: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    done = run_on('Linux aarch64')
    assert done.returncode == 1
    assert 'make test' in done.stderr
