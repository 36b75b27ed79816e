# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The page of the report: one HTML file that needs no other files and no network.

Labels are untrusted: the template escapes all values, and the page's Content Security Policy
forbids scripts and external addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from importlib import resources

from edgetpu_retrain.report.analysis.analysis import Analysis
from edgetpu_retrain.report.drawing.figures import Drawing, svg_of
from edgetpu_retrain.report.pictures import data_url
from edgetpu_retrain.report.words.cards import cards, class_rows, suspect_cards
from edgetpu_retrain.report.words.conclusions import Conclusions, once_taught, what_was_held_out
from edgetpu_retrain.report.words.phrases import percent
from edgetpu_retrain.report.words.problems import how_many_are_wrong
from edgetpu_retrain.wording import counted
import jinja2

TEMPLATE = 'page.html.j2'


def page_of(
    analysis: Analysis,
    top: Conclusions,
    drawings: tuple[Drawing, ...],
    pictures: Mapping[int, str],
) -> str:
    """
    Return the page as HTML.

    Args:
        analysis: the results to show.
        top: the conclusions at the top of the page.
        drawings: the figures.
        pictures: URLs of the samples' pictures, by sample id.
    """
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(percent=percent, unbroken=_unbroken)
    source = resources.files('edgetpu_retrain.report').joinpath(TEMPLATE).read_text('utf-8')
    return environment.from_string(source).render(
        analysis=analysis,
        counted=counted,
        top=top,
        figures=[(each, data_url(svg_of(each, analysis), 'image/svg+xml')) for each in drawings],
        classes=class_rows(analysis),
        suspects=suspect_cards(analysis, pictures),
        wrong_labels=how_many_are_wrong(analysis.mislabels) if len(analysis.mislabels) else '',
        held_out=what_was_held_out(analysis),
        once_taught=once_taught(analysis) if analysis.evaluated else '',
        mistakes=cards(analysis, analysis.mistakes, pictures),
        all_mistakes=int((~analysis.held_out.right).sum()),
        unsure=cards(analysis, analysis.unsure, pictures),
        now=datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
    )


def _unbroken(text: str) -> str:
    """Return a text in which each space before a percent sign is a no-break space."""
    return text.replace(' %', '\u00a0%')
