# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""From a data folder to files, with a real store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import subprocess
import sys

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.report import report_files as module
from edgetpu_retrain.report.report_files import write_report
from edgetpu_retrain.store.models.model_store import ModelVersion
from edgetpu_retrain.store.samples.sample_store import SampleStore
import pytest

Teach = Callable[..., list[int]]
SaveModel = Callable[..., ModelVersion]

PNG = b'\x89PNG\r\n\x1a\n'


def test_a_page_and_a_picture_beside_it(
    data_dir: Path, tmp_path: Path, teach: Teach, save_model: SaveModel, jpeg: bytes
) -> None:
    teach('cup', 40, looks_like=0, image=jpeg)
    (wrong,) = teach('cup', 1, looks_like=1, image=jpeg)
    teach('hat', 40, looks_like=1, image=jpeg, seed=5)
    save_model({'cup': 41, 'hat': 40})
    steps: list[str] = []
    done = write_report(data_dir, tmp_path / 'new' / 'mine.html', on_step=steps.append)
    html, png = done.html, done.png
    assert [each['sample_id'] for each in done.summary['suspicious_labels']] == [wrong]
    assert (html, png) == (tmp_path / 'new/mine.html', tmp_path / 'new/mine.png')
    page = html.read_text('utf-8')
    assert png.read_bytes().startswith(PNG)
    assert f'#{wrong}: ' in page
    assert f'alt="picture of sample {wrong}" class="large"' in page
    assert 'version 1' in page
    assert len(steps) == 5
    assert sorted(path.name for path in (tmp_path / 'new').iterdir()) == ['mine.html', 'mine.png']


def test_a_folder_gets_files_of_that_name_and_old_ones_are_replaced(
    data_dir: Path, tmp_path: Path, teach: Teach
) -> None:
    teach('cup', 3, looks_like=0)
    teach('hat', 3, looks_like=1)
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'report.html').write_text('old', 'utf-8')
    html = write_report(data_dir, tmp_path / 'out').html
    assert html == tmp_path / 'out' / 'report.html'
    assert html.read_text('utf-8').startswith('<!DOCTYPE html>')


def test_the_data_folder_stays_as_it_was(data_dir: Path, tmp_path: Path, teach: Teach) -> None:
    teach('cup', 3, looks_like=0)
    teach('hat', 3, looks_like=1)
    with SampleStore(data_dir / 'samples.db') as store:
        before = store.training_set(extractor='a' * 64).embeddings.tobytes()
        # A node may have the store open meanwhile.
        write_report(data_dir, tmp_path / 'out')
        assert store.training_set(extractor='a' * 64).embeddings.tobytes() == before
    assert [path.name for path in data_dir.iterdir()] == ['samples.db']


def test_an_unwritable_output_gives_one_sentence(
    data_dir: Path, tmp_path: Path, teach: Teach
) -> None:
    teach('cup', 2, looks_like=0)
    teach('hat', 2, looks_like=1)
    (tmp_path / 'file').write_text('', 'utf-8')
    with pytest.raises(StoreError, match='Cannot write the report'):
        write_report(data_dir, tmp_path / 'file' / 'report.html')


def test_a_missing_library_is_named_with_its_package(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, 'find_spec', lambda name: None if name == 'jinja2' else name)
    with pytest.raises(RequestError, match=r'needs jinja2.*apt-get install python3-jinja2'):
        write_report(data_dir, tmp_path)


def test_only_a_report_imports_what_only_a_report_needs() -> None:
    script = (
        'import sys, edgetpu_retrain.report\n'
        "print([name for name in ('matplotlib', 'jinja2', 'rclpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == '[]'
