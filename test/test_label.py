# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import unicodedata

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.label import check_label
from edgetpu_retrain.wording import presentable
from hypothesis import given
from hypothesis import strategies as st
import pytest

JOINERS = '\u200c\u200d'


@pytest.mark.parametrize(
    'label',
    [
        'a',
        'coffee mug',
        'x' * 100,
        'Ünïcode',
        '茶',
        '👨‍👩‍👧',
        '.hidden',
        '...',
        '茶' * 85,
        'می\u200cخواهم',
        '-1',
        "it's",
        'unknowns',
        'un known',
        '\u2615\ufe0f',
        '\u1100\u1160',
        '\U0001faea',
    ],
)
def test_a_label_is_returned_as_it_is(label: str) -> None:
    assert check_label(label) == label


@pytest.mark.parametrize(
    ('label', 'words'),
    [
        ('', 'is empty'),
        ('x' * 101, 'has 101 characters'),
        ('a/b', "contains '/'"),
        ('a\\b', 'contains'),
        ('a\nb', r"contains '\n'"),
        ('a\x00b', r"contains '\x00'"),
        ('a\x7fb', r"contains '\x7f'"),
        ('a\u2028b', r"contains '\u2028'"),
        ('a\ud800b', r"contains '\ud800'"),
        ('.', 'name of a folder'),
        ('..', 'name of a folder'),
        (' a', "use 'a' instead"),
        ('a ', "use 'a' instead"),
        ('\u3000', 'only space'),
        ('a\x1b[2Jb', r"contains '\x1b'"),
        ('gpj.\u202eexe', r"contains '\u202e'"),
        ('a\u2066b', r"contains '\u2066'"),
        ('a\u200bb', r"contains '\u200b'"),
        ('\ufeffa', r"contains '\ufeff'"),
        ('a\uffffb', r"contains '\uffff'"),
        ('\u200d', 'only space'),
        ('a\u200d ', 'ends with a space'),
        ('茶' * 86, 'has 258 bytes in UTF-8'),
        ('unknown', 'is reserved'),
        ('un\u200dknown', 'is reserved'),
        ('Unknown', 'is reserved'),
        ('UNKNOWN', 'is reserved'),
        ('\uff35nknown', 'is reserved'),
        ('\U0001d42enknown', 'is reserved'),
        ('unknown\ufe0f', 'is reserved'),
        ('unknown\u3164', 'is reserved'),
        *((blank, 'only space') for blank in ('\u3164', '\u115f\uffa0', '\u2800', '\ufe0f')),
    ],
)
def test_a_bad_label_is_rejected_with_the_reason(label: str, words: str) -> None:
    with pytest.raises(RequestError, match=re.escape(words)):
        check_label(label)


def test_a_reserved_label_of_an_older_release_can_still_be_named() -> None:
    assert check_label('unknown', taught_before=True) == 'unknown'
    for label in ('a\u202eb', 'a\u200bb', '茶' * 100, 'a\ufffeb', '\uff35nknown', '\u3164'):
        assert check_label(label, taught_before=True) == label
    for label in ('un/known', 'a\x1b[2Jb', 'a\nb'):
        with pytest.raises(RequestError, match='contains'):
            check_label(label, taught_before=True)


@given(st.text(max_size=120))
def test_every_accepted_label_survives_as_a_line_of_a_labels_file(label: str) -> None:
    message = None
    try:
        check_label(label)
    except RequestError as error:
        message = str(error)
    if message is None:
        assert label.encode().decode().splitlines() == [label]
        assert label.strip() == label
        assert len(label.encode()) <= 255
        hidden = {'Cc', 'Cf', 'Cs', 'Zl', 'Zp'}
        categories = {unicodedata.category(each) for each in label if each not in JOINERS}
        assert not categories & hidden
    else:
        assert message.encode(), 'the message itself can be shown'
        assert presentable(message) == message
