# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the examples of the documents in docs/."""

from __future__ import annotations

from pathlib import Path
import re
import subprocess
import sys

from edgetpu_retrain.command_line.main import main
import pytest
from support.bags import photographs, png, write_class_folders
from support.command_line_types import TEACH_ALL

DOCS = Path(__file__).parents[1] / 'docs'


def script(document: str) -> str:
    (code,) = re.findall(
        r'^```python\n(.*?)^```', (DOCS / document).read_text(), re.MULTILINE | re.DOTALL
    )
    return str(code)


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with a model of three classes."""
    folder = tmp_path_factory.mktemp('documents')
    write_class_folders(folder / 'photographs', ('cat', 'coffee', 'coins'), 12)
    data = folder / 'data'
    assert main([*TEACH_ALL, str(folder / 'photographs'), '--data-dir', str(data)]) == 0
    assert main(['train', '--data-dir', str(data)]) == 0
    return data


def run(code: str, folder: Path, *arguments: str) -> str:
    # -I: neither this checkout nor PYTHONPATH, so the package cannot help.
    command = [sys.executable, '-I', '-c', code, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_exported_model_runs_in_ten_lines_with_only_its_labels(
    data: Path, tmp_path: Path
) -> None:
    code = script('plain_runtime.md')
    assert len([line for line in code.splitlines() if line]) == 10
    assert 'edgetpu_retrain' not in code
    assert main(['models', 'export', str(tmp_path), '--data-dir', str(data)]) == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ['labels.txt', 'model.tflite']
    for number, subject in enumerate(('cat', 'coffee', 'coins')):
        (tmp_path / 'photograph.png').write_bytes(png(photographs(subject, 3, seed=1)[2]))
        answer = run(code, tmp_path, 'photograph.png')
        assert answer.split() == [str(number), subject]


def test_the_example_for_the_zip_runs(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / 'samples.zip'
    assert main(['samples', 'export', str(archive), '--data-dir', str(data)]) == 0
    assert run(script('samples_zip.md'), tmp_path) == '(36, 1280) 36\n'
