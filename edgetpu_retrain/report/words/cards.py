# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The page's data on single samples and on classes, as plain values for the template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis.hard_samples import MOST
from edgetpu_retrain.report.analysis.report_analysis import Analysis
from edgetpu_retrain.report.words.phrases import percent, shown
import numpy as np


@dataclass(frozen=True)
class Near:
    """A neighbour of a sample: id, class, picture (an address, '' = none) and distance."""

    number: int
    label: str
    picture: str
    distance: str


@dataclass(frozen=True)
class Card:
    """
    One sample.

    Args:
        number: its id in the store.
        label: its label.
        answer: its held-out prediction.
        confidence: confidence of that prediction, in percent.
        own: predicted probability of its label, in percent.
        right: whether the prediction is right.
        camera: its camera, '' = none.
        picture: address of its picture, '' = none.
        near: its nearest neighbours.
    """

    number: int
    label: str
    answer: str
    confidence: str
    own: str
    right: bool
    camera: str
    picture: str
    near: tuple[Near, ...]


@dataclass(frozen=True)
class ClassRow:
    """One class: name, number of samples, recall and precision, as text."""

    label: str
    samples: int
    recall: str
    precision: str
    mostly: str
    before: str
    after: str


def card_rows(analysis: Analysis) -> list[int]:
    """Return the ids of all samples on cards, including neighbours."""
    ids = analysis.material.samples.ids.tolist()
    rows = set(analysis.neighbours)
    for near in analysis.neighbours.values():
        rows |= {row for row, _ in near}
    return [ids[row] for row in sorted(rows)]


def suspect_cards(analysis: Analysis, pictures: Mapping[int, str]) -> list[Card]:
    """Return cards of samples with suspicious labels; 'answer' is the class they count for."""
    found = analysis.mislabels
    return [
        _card(analysis, position, pictures, looks_like)
        for position, looks_like in zip(
            found.positions[:MOST].tolist(), found.looks_like[:MOST].tolist(), strict=True
        )
    ]


def cards(analysis: Analysis, positions: IntArray, pictures: Mapping[int, str]) -> list[Card]:
    """Return cards of some evaluated samples."""
    return [_card(analysis, position, pictures) for position in positions.tolist()]


def class_rows(analysis: Analysis) -> list[ClassRow]:
    """Return all classes, in the order of their first sample."""
    return [_class_row(analysis, number) for number in range(len(analysis.names))]


def _card(
    analysis: Analysis, position: int, pictures: Mapping[int, str], answer: int | None = None
) -> Card:
    held_out, names = analysis.held_out, analysis.names
    row, label = int(held_out.rows[position]), int(held_out.labels[position])
    probabilities = held_out.probabilities[position]
    said = int(np.argmax(probabilities)) if answer is None else answer
    number = int(analysis.material.samples.ids[row])
    return Card(
        number,
        shown(names[label]),
        shown(names[said]),
        percent(float(probabilities[said])),
        percent(float(probabilities[label])),
        said == label,
        shown(analysis.material.stored[row].camera),
        pictures.get(number, ''),
        tuple(
            _near(analysis, other, distance, pictures)
            for other, distance in analysis.neighbours[row]
        ),
    )


def _near(analysis: Analysis, row: int, distance: float, pictures: Mapping[int, str]) -> Near:
    samples = analysis.material.samples
    number = int(samples.ids[row])
    label = shown(samples.names[int(samples.labels[row])])
    return Near(number, label, pictures.get(number, ''), f'{distance:.3f}')


def _class_row(analysis: Analysis, number: int) -> ClassRow:
    wrong = analysis.confusion[number].copy()
    wrong[number] = 0
    other = int(wrong.argmax())
    gain = analysis.learning.gain(number) if analysis.learning else None
    return ClassRow(
        shown(analysis.names[number]),
        int(analysis.counts[number]),
        percent(analysis.recall(number)),
        percent(analysis.precision(number)),
        f'{shown(analysis.names[other])} ({wrong[other]})' if wrong[other] else '–',
        percent(gain.before) if gain else 'not measured',
        percent(gain.after) if gain else 'not measured',
    )
