# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The page: one file that is safe for any labels, without scripts or external addresses."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
import re

from edgetpu_retrain.learning.training_report import TAUGHT_IN_ONE_GO
from edgetpu_retrain.report.analysis.analysis import Analysis
from edgetpu_retrain.report.drawing.figures import drawings
from edgetpu_retrain.report.page import page_of
from edgetpu_retrain.report.words.conclusions import conclude
from edgetpu_retrain.store.samples.sample import TrainingSet
import pytest

SamplesOf = Callable[..., TrainingSet]
AnalysisOf = Callable[..., Analysis]

HOSTILE = [
    '<script>alert(1)</script>',
    '../../x',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '{{ 7 * 7 }}{% raw %}',
    '</style><b>&amp;',
    'javascript:alert(1)',
    '\u202egnp.exe',
]

EMPTY = {'meta', 'img', 'br', 'link', 'input', 'hr'}


class Page(HTMLParser):
    """What is in a page: its tags with attributes, its text, and whether tags are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that it closes the tag that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        if self.open and self.open[-1] != 'style':
            self.text.append(data)

    @property
    def words(self) -> str:
        """All text."""
        return ' '.join(' '.join(self.text).split())


def made(analysis: Analysis, pictures: dict[int, str] | None = None) -> str:
    return page_of(analysis, conclude(analysis), drawings(analysis), pictures or {})


@pytest.fixture(scope='module')
def usual(samples_of: SamplesOf, analysis_of: AnalysisOf) -> Analysis:
    truth = [0] * 30 + [1] * 30 + [2] * 30
    labels = [1, *truth[1:]]
    samples = samples_of(labels, ['cup', 'hat', 'dog'], truth=truth, spread=1.5)
    return analysis_of(samples, has_image=True)


def test_the_page_is_complete_and_starts_with_the_conclusions(usual: Analysis) -> None:
    page = Page(made(usual))
    assert page.open == []
    words = page.words
    headline = conclude(usual).headline
    assert headline in words
    assert words.index(headline) < words.index('What is wrong') < words.index('Figures')
    for each in drawings(usual):
        assert each.title in words


def test_the_page_loads_no_external_resource(usual: Analysis) -> None:
    text = made(usual, {1: 'data:image/jpeg;base64,AAAA'})
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag not in {'script', 'link', 'iframe', 'object', 'embed', 'base', 'form'}
        for name, value in attributes.items():
            assert not name.startswith('on')
            if name in {'src', 'href', 'srcset', 'action', 'data', 'poster', 'xlink:href'}:
                assert value is not None
                assert value.startswith('data:image/')
    assert not re.search(r'url\(|@import|https?:', text)
    policies = [each['content'] for _, each in page.tags if 'http-equiv' in each]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_labels_and_cameras_are_harmless(samples_of: SamplesOf, analysis_of: AnalysisOf) -> None:
    labels = [number for number in range(len(HOSTILE)) for _ in range(6)]
    samples = samples_of(labels, HOSTILE, spread=3.0)
    analysis = analysis_of(samples, has_image=True, camera=HOSTILE[2])
    plain = analysis_of(
        samples_of(labels, [f'c{number}' for number in range(len(HOSTILE))], spread=3.0),
        has_image=True,
    )
    page = Page(made(analysis))
    # The very tags that harmless names give, in the same order.
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in Page(made(plain)).tags]
    assert '<script>alert(1)</script>' in page.words
    assert '{{ 7 * 7 }}' in page.words
    assert HOSTILE[2] in page.words
    assert '\u202e' not in page.words


def test_samples_are_named_with_pictures_and_neighbours(usual: Analysis) -> None:
    assert 1 in usual.suspects
    (first,) = (row for row, _ in usual.neighbours[0][:1])
    number = int(usual.data.samples.ids[first])
    text = made(usual, {1: 'data:image/jpeg;base64,ONE=', number: 'data:image/jpeg;base64,TWO='})
    page = Page(text)
    alternatives = {
        each['src']: each['alt'] for tag, each in page.tags if tag == 'img' and 'class' in each
    }
    assert alternatives['data:image/jpeg;base64,ONE='] == 'picture of sample 1'
    assert alternatives['data:image/jpeg;base64,TWO='] == f'picture of sample {number}'
    assert 'no picture' in page.words
    assert f'#{number} · {usual.neighbours[0][0][1]:.3f}' in page.words


def test_without_pictures_the_page_explains_how_to_store_them(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    page = Page(made(analysis_of(samples_of([0] * 8 + [1] * 8))))
    assert 'No pictures are stored' in page.words
    assert 'store_images thumbnail' in page.words
    assert not [each for tag, each in page.tags if tag == 'img' and 'class' in each]


def test_one_sample_per_class_is_a_page_too(
    samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    words = Page(made(analysis_of(samples_of([0, 1])))).words
    assert 'nothing can be measured' in words
    assert 'No sample was evaluated.' in words
    assert 'nan' not in words.split()


def test_beside_each_figure_stands_that_it_is_of_one_recording(
    usual: Analysis, samples_of: SamplesOf, analysis_of: AnalysisOf
) -> None:
    # At the top, at the figures and at the table.
    assert Page(made(usual)).words.count(TAUGHT_IN_ONE_GO) >= 3
    recordings = [number // 6 for number in range(60)]
    samples = samples_of([0] * 30 + [1] * 30, ['cup', 'hat'], recordings=recordings)
    assert TAUGHT_IN_ONE_GO not in Page(made(analysis_of(samples))).words.split('Figures')[1]


def test_the_page_describes_its_methods(usual: Analysis) -> None:
    words = Page(made(usual)).words
    assert 'cross-validation with 5 folds and seed 0' in words
    assert 'Held out as a whole: blocks of one recording of 3 classes.' in words
    assert 'Angluin' in words
    assert 'No model was trained yet' in words
