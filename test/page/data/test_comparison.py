# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Two versions are compared on what neither was trained with, else not on the same samples."""

from __future__ import annotations

import json

from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.page.data.comparison import compare
from edgetpu_retrain.store.samples.sample_store import SampleStore
import pytest
from support.taught_folder import TaughtFolder


@pytest.fixture
def two_versions(folder: TaughtFolder) -> TaughtFolder:
    """Return a folder with version 1, whose mugs are wrong, and version 2, which is right."""
    folder.add('hat', 15, 1)
    wrong = folder.add('mug', 15, 2)
    folder.train()
    with SampleStore(folder.path / 'samples.db') as store:
        store.remove_samples(wrong)
    folder.add('mug', 15, 0)
    folder.train()
    return folder


def test_new_samples_decide_between_versions(two_versions: TaughtFolder) -> None:
    two_versions.add('mug', 10, 0, recording='next day')
    two_versions.add('hat', 10, 1, recording='next day')
    found = json.loads(json.dumps(compare(two_versions.path, 1, 2)))
    assert (found['basis'], found['samples']) == ('new', 20)
    assert found['b']['accuracy'] >= 0.9
    assert found['a']['accuracy'] <= 0.6
    (mug,) = (each for each in found['a']['per_class'] if each['label'] == 'mug')
    assert mug == {'label': 'mug', 'accuracy': 0.0, 'count': 10}
    validity, verdict = found['words']
    assert '20 samples that neither was trained with, of recordings that are new' in validity
    assert verdict.endswith('version 2 is better on these.')


def test_samples_of_a_known_recording_are_said_to_be_easier(two_versions: TaughtFolder) -> None:
    two_versions.add('mug', 4, 0, recording='first')
    two_versions.add('hat', 2, 1, recording='next day')
    validity, verdict = compare(two_versions.path, 1, 2)['words']
    assert '4 are of recordings that one was trained with, which is easier' in validity
    assert verdict.endswith('that may be chance. More new samples would tell.')


def test_what_a_version_was_not_taught_should_be_unknown(folder: TaughtFolder) -> None:
    folder.add('hat', 15, 1)
    folder.add('mug', 15, 0)
    folder.train()
    folder.add('cup', 15, 2)
    folder.train()
    folder.add('cup', 10, 2, recording='next day')
    found = compare(folder.path, 1, 2)
    assert found['words'][-1] == (
        'Version 1 was not taught “\u2068cup\u2069”: there, only “unknown” counts as right.'
    )
    assert found['b']['accuracy'] >= 0.8


def test_the_background_should_be_unknown(folder: TaughtFolder) -> None:
    folder.add('background', 15, 1)
    folder.add('mug', 15, 0)
    folder.train()
    folder.train()
    folder.add('background', 10, 1, recording='next day')
    found = compare(folder.path, 2, 1)
    assert found['a']['accuracy'] == found['b']['accuracy'] >= 0.9
    assert found['words'][-1] == 'They are right and wrong on the same samples.'


def test_without_new_samples_each_version_has_its_own_figures(two_versions: TaughtFolder) -> None:
    found = compare(two_versions.path, 2, 1)
    assert (found['basis'], found['samples']) == ('own', 0)
    assert [found['a']['version'], found['b']['version']] == [2, 1]
    assert sum(each['count'] for each in found['a']['per_class']) > 0
    why, *units = found['words']
    assert why.startswith('Every sample was there when one of them was trained.')
    assert 'the two may have held out different ones' in why
    assert units[0] == (
        'Version 2 was checked on blocks of a recording, which are easier than another day.'
    )


def test_records_of_earlier_releases_do_not_say_what_is_new(two_versions: TaughtFolder) -> None:
    path = two_versions.path / 'models' / 'model_000001.json'
    content = json.loads(path.read_text())
    del content['record']['newest_sample']
    path.write_text(json.dumps(content))
    two_versions.add('mug', 10, 0, recording='next day')
    found = compare(two_versions.path, 1, 2)
    assert found['basis'] == 'own'
    assert found['words'][0].startswith('Which samples version 1 was trained with is not known')


def test_a_version_that_was_not_measured_is_named(folder: TaughtFolder) -> None:
    folder.add('hat', 1, 1)
    folder.add('mug', 1, 0)
    folder.train()
    folder.train()
    found = compare(folder.path, 1, 2)
    assert found['a']['accuracy'] is None
    assert [each['accuracy'] for each in found['a']['per_class']] == [None, None]
    assert found['words'][1].startswith('Version 1 has no figure')


def test_what_cannot_be_compared_is_named(two_versions: TaughtFolder) -> None:
    with pytest.raises(RequestError, match=r'Both versions are 2: select two different ones'):
        compare(two_versions.path, 2, 2)
    with pytest.raises(StoreError, match=r'There is no model version 7 .* there are: 1, 2'):
        compare(two_versions.path, 1, 7)
