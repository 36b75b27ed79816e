# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The analysis as values for the page."""

from __future__ import annotations

import json
from pathlib import Path

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.page.data.analysis import analyse_folder, fingerprint, STEPS
from edgetpu_retrain.store.samples.sample_store import SampleStore
import pytest
from support.taught_folder import TaughtFolder


def test_the_analysis_has_the_ids_behind_each_cell(folder: TaughtFolder) -> None:
    hats = folder.add('hat', 15, 1)
    mugs = folder.add('mug', 15, 0)
    (wrong,) = folder.add('mug', 1, 1)
    steps: list[str] = []
    found = json.loads(json.dumps(analyse_folder(folder.path, steps.append), allow_nan=False))
    assert len(steps) == STEPS
    assert found['labels'] == ['hat', 'mug']
    assert [[len(ids) for ids in row] for row in found['cells']] == found['confusion']
    assert {*found['cells'][0][0]} <= {*hats}
    assert {*found['cells'][1][1]} <= {*mugs}
    assert found['cells'][1][0] == [wrong]
    assert found['suspects'] == [
        {'id': wrong, 'label': 'mug', 'suggested': 'hat',
         'certainty': found['suspects'][0]['certainty']}
    ]  # fmt: skip
    assert found['suspects'][0]['certainty'] > 0.5
    assert found['enough'] == 'wrong'
    assert 'first look at 1 sample that may be mislabelled' in found['headline']
    # The page has a button for it, and knows no services.
    assert 'relabel or remove the sample, then' in found['problems'][0]['text']
    hat, mug = found['per_class']
    assert (hat['label'], hat['samples'], hat['accuracy']) == ('hat', 15, 1.0)
    assert mug['accuracy'] < 1.0
    sizes = [size for size, _ in found['learning_curve']]
    assert sizes == sorted(sizes)
    assert len(sizes) == 4
    assert found['held_out_unit'] == 'blocks'
    assert found['held_out_words'] == 'Held out as a whole: blocks of one recording of 2 classes.'


def test_what_was_not_measured_is_none(folder: TaughtFolder) -> None:
    folder.add('hat', 1, 1)
    folder.add('mug', 1, 0)
    found = json.loads(json.dumps(analyse_folder(folder.path, print), allow_nan=False))
    assert found['enough'] == 'unmeasured'
    assert found['accuracy'] is found['held_out_unit'] is None
    assert found['learning_curve'] == found['suspects'] == []
    assert [each['accuracy'] for each in found['per_class']] == [None, None]


def test_one_class_cannot_be_analysed(folder: TaughtFolder) -> None:
    folder.add('hat', 15, 1)
    with pytest.raises(RequestError, match=r'nothing to tell apart: .*only'):
        analyse_folder(folder.path, print)


def test_the_fingerprint_changes_with_samples_labels_and_models(folder: TaughtFolder) -> None:
    seen = [fingerprint(folder.path)]
    assert not any(folder.path.iterdir())
    ids = folder.add('hat', 5, 1) + folder.add('mug', 5, 0)
    seen.append(fingerprint(folder.path))
    with SampleStore(folder.path / 'samples.db') as store:
        store.relabel(ids[:1], 'mug')
        seen.append(fingerprint(folder.path))
        store.remove_samples(ids[:1])
        seen.append(fingerprint(folder.path))
        store.undo()
        assert fingerprint(folder.path) == seen[2]
    folder.train()
    seen.append(fingerprint(folder.path))
    assert len({*seen}) == len(seen) == 5


def test_the_analysis_imports_no_drawing(folder: TaughtFolder, package_path: str) -> None:
    import subprocess
    import sys

    folder.add('hat', 3, 1)
    folder.add('mug', 3, 0)
    program = (
        'import sys\n'
        'from edgetpu_retrain.page.data.work import main\n'
        'main(sys.argv[1:])\n'
        "assert not {'matplotlib', 'jinja2', 'rclpy', 'cv2'} & {*sys.modules}"
    )
    done = subprocess.run(
        [sys.executable, '-c', program, str(folder.path), 'analysis'],
        capture_output=True, text=True, check=False, env={'PYTHONPATH': package_path},
        cwd=Path('/'),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 'result' in done.stdout.splitlines()[-1]
