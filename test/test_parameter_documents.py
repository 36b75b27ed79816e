# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Compares config/retrain.yaml and the tables in docs/ with the declarations."""

from __future__ import annotations

from pathlib import Path
import shutil
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]
TOOL = 'tools/parameter_documents.py'
DOCUMENTS = ('config/retrain.yaml', 'docs/interface.md', 'docs/fleet.md')


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with the files of the tool, whose documents can be changed."""
    for name in (TOOL, *DOCUMENTS):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / 'edgetpu_retrain').symlink_to(ROOT / 'edgetpu_retrain')
    return tmp_path


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(checkout / TOOL), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def change(document: Path, old: str, new: str) -> None:
    text = document.read_text()
    assert text.count(old) == 1
    document.write_text(text.replace(old, new))


def test_the_documents_are_as_declared() -> None:
    done = run(ROOT, '--check')
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


@pytest.mark.parametrize(
    ('name', 'old', 'new'),
    [
        ('config/retrain.yaml', 'num_threads: 1\n', 'num_threads: 2\n'),
        ('docs/interface.md', 'Threads of the CPU for inference', 'Threads for inference'),
    ],
)
def test_a_manual_change_is_found_and_reverted(
    checkout: Path, name: str, old: str, new: str
) -> None:
    document = checkout / name
    before = document.read_text()
    change(document, old, new)
    changed = document.read_text()
    done = run(checkout, '--check')
    assert done.returncode == 1
    assert done.stdout == f'{name} differs from the declared parameters: run python3 {TOOL}\n'
    assert document.read_text() == changed
    assert run(checkout).returncode == 0
    assert document.read_text() == before


@pytest.mark.parametrize('name', DOCUMENTS)
def test_text_outside_the_marks_is_kept(checkout: Path, name: str) -> None:
    document = checkout / name
    text = f'# Before\n{document.read_text()}# After\n'
    document.write_text(text)
    assert run(checkout).returncode == 0
    assert document.read_text() == text


def test_a_document_without_its_mark_is_rejected(checkout: Path) -> None:
    document = checkout / 'config' / 'retrain.yaml'
    change(document, '    # end of what is generated\n', '')
    text = document.read_text()
    for arguments in ((), ('--check',)):
        done = run(checkout, *arguments)
        assert done.returncode == 1
        assert (
            done.stderr == 'config/retrain.yaml must have each mark once, on a line of its own\n'
        )
    assert document.read_text() == text


def test_a_parameter_has_its_description_and_range_above_its_default() -> None:
    assert """
    # Time limit of one inference on an Edge TPU, in seconds. Allowed: 0.01 to 3600.0.
    invoke_timeout_s: 2.0

    # Threads of the CPU for inference. Allowed: 1 to 64.
    num_threads: 1
""" in (ROOT / 'config' / 'retrain.yaml').read_text()


def test_the_parameters_of_a_camera_are_indented() -> None:
    assert """
      # Device that runs this camera's frames; '' = 'device'.
      device: ''

      # Whether the node subscribes to this camera. Takes effect at once.
      active: true
""" in (ROOT / 'config' / 'retrain.yaml').read_text()


@pytest.mark.parametrize(
    'words',
    [
        "| `<name>.device` | `''` | Device that runs this camera's frames; `''` = `device`. See ",
        '`device`. See [coral.md](coral.md). |',
        ' = `$ROS_HOME/edgetpu_retrain` or `~/.ros/edgetpu_retrain`, and in there ',
        'are classified on `~/<camera>/detections`; ',
        'on the same kind of processor. Allowed: 0 or more. Takes effect at once. |',
        '| `num_threads` | `1` | Threads of the CPU for inference. Allowed: 1 to 64. |',
    ],
)
def test_the_table_has_links_code_and_ranges(words: str) -> None:
    assert words in (ROOT / 'docs' / 'interface.md').read_text()
