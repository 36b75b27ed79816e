# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The page: one self-contained HTML file, without other files or network access.

Labels are untrusted: the template escapes all values, and the page's Content Security Policy
forbids scripts and external addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import resources

from edgetpu_retrain.report.analysis.report_analysis import Analysis
from edgetpu_retrain.report.drawing.figures import Drawing, svg_of
from edgetpu_retrain.report.pictures import data_address
from edgetpu_retrain.report.words.cards import cards, class_rows, suspect_cards
from edgetpu_retrain.report.words.conclusions import Conclusions
from edgetpu_retrain.report.words.phrases import number_of, percent
import jinja2

TEMPLATE = 'page.html.j2'


@dataclass(frozen=True)
class Picture:
    """A figure on the page: name, title, caption and address."""

    name: str
    title: str
    sentence: str
    address: str


def page_of(
    analysis: Analysis,
    top: Conclusions,
    drawings: tuple[Drawing, ...],
    pictures: Mapping[int, str],
) -> str:
    """
    Return the page.

    Args:
        analysis: the analysis.
        top: the conclusions at the top.
        drawings: the figures.
        pictures: addresses of the samples' pictures, by sample id.
    """
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters['unbroken'] = _unbroken
    source = resources.files('edgetpu_retrain.report').joinpath(TEMPLATE).read_text('utf-8')
    return environment.from_string(source).render(
        top=top,
        facts=_facts(analysis),
        figures=[
            Picture(
                each.name,
                each.title,
                each.sentence,
                data_address(svg_of(each, analysis), 'image/svg+xml'),
            )
            for each in drawings
        ],
        classes=class_rows(analysis),
        suspects=suspect_cards(analysis, pictures),
        all_suspects=len(analysis.mislabels),
        too_many_suspects=analysis.too_many_suspects,
        mistakes=cards(analysis, analysis.mistakes, pictures),
        all_mistakes=analysis.judged - int(analysis.held_out.right.sum()),
        unsure=cards(analysis, analysis.unsure, pictures),
        stored=analysis.material.pictures,
        method=_method(analysis),
        training=analysis.curves.report.in_words(analysis.names).splitlines(),
    )


def _unbroken(text: str) -> str:
    """Return a text with no-break spaces between numbers and units."""
    return text.replace(' %', '\u00a0%')


def _facts(analysis: Analysis) -> list[tuple[str, str]]:
    material = analysis.material
    facts: list[tuple[str, str]] = [
        ('Recognized', percent(analysis.accuracy)),
        ('Samples', str(len(material.samples.labels))),
        ('Classes', str(len(analysis.names))),
        ('Model', f'version {material.model.version}' if material.model else 'none yet'),
        ('Doubtful labels', str(len(analysis.mislabels))),
        ('Pictures stored', f'{material.pictures} of {len(material.stored)}'),
    ]
    return facts


def _method(analysis: Analysis) -> list[str]:
    """Return sentences that describe how the figures were computed."""
    material, held_out = analysis.material, analysis.held_out
    sentences = [_about(analysis)]
    if held_out.folds:
        sentences.append(
            f'Answers to held-out samples were computed for this report by cross-validation with '
            f'{held_out.folds} folds and seed {material.options.seed}: each sample was judged '
            f'once, by a model trained on the others with the same options.'
        )
    left_out = len(material.samples.labels) - analysis.judged
    if left_out:
        sentences.append(
            f'{number_of(left_out, "sample is", "samples are")} the only one of a class and could '
            'not be judged.'
        )
    sentences.append(
        'Loss and accuracy curves were recomputed: the same samples, options and seed give the '
        'same training, but for roundings on another kind of processor.'
    )
    sentences.append(
        'Suspected labels are those off the diagonal of the confident joint (Northcutt, Jiang and '
        'Chuang, “Confident Learning”, 2021). Neighbours are the nearest of all other samples '
        'by cosine distance of their embeddings, 0 = the same.'
    )
    return sentences


def _about(analysis: Analysis) -> str:
    material = analysis.material
    now = datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC')
    source = f'Made on {now} from {material.folder}, extractor {material.extractor[:12]}'
    if material.model is None:
        return f'{source}. No model was trained yet; the default options were used.'
    record = material.model.record
    trained = number_of(sum(record.sample_counts.values()), 'sample')
    version = material.model.version
    words = [f'{source}, model version {version} of {record.created} with {trained}.']
    if record.validation_accuracy is not None:
        words.append(f'Its own training measured {percent(record.validation_accuracy)}')
        if record.quantized_validation_accuracy is not None:
            words.append(f'({percent(record.quantized_validation_accuracy)} after quantization)')
        words.append('on held-out samples.')
    return ' '.join(words)
