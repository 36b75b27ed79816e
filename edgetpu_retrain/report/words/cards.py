# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The page's data on single samples and on classes, as plain values for the template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import math
from typing import Any

from edgetpu_retrain.learning import IntArray
from edgetpu_retrain.report.analysis.analysis import Analysis, MOST
from edgetpu_retrain.report.analysis.held_out import HeldOut
from edgetpu_retrain.report.words.phrases import percent, shown


def displayed_samples(analysis: Analysis) -> list[int]:
    """Return the ids of all samples on cards, including neighbours."""
    neighbours = (row for near in analysis.neighbours.values() for row, _ in near)
    rows = {*analysis.neighbours, *neighbours}
    ids: list[int] = analysis.data.samples.ids[sorted(rows)].tolist()
    return ids


def cards(
    analysis: Analysis, positions: IntArray, pictures: Mapping[int, str]
) -> list[dict[str, Any]]:
    """
    Return the data of a card, with picture, labels and neighbours, for each given sample.

    Args:
        analysis: the results to show.
        positions: int64 ``[K]``, positions among the evaluated samples.
        pictures: URLs of the samples' pictures, by sample id.
    """
    held_out = analysis.held_out
    pairs = zip(positions.tolist(), held_out.predictions[positions].tolist(), strict=True)
    return [_card(analysis, held_out, position, number, pictures) for position, number in pairs]


def suspect_cards(analysis: Analysis, pictures: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return cards for the samples with suspicious labels: at most MOST, most suspicious first."""
    found = analysis.mislabels
    columns = (found.positions, found.looks_like, found.chances)
    suspects = zip(*(column[:MOST].tolist() for column in columns), strict=True)
    return [
        {
            **_card(analysis, analysis.labels_held_out, position, number, pictures),
            'chance': percent(chance),
        }
        for position, number, chance in suspects
    ]


def class_rows(analysis: Analysis) -> Iterator[dict[str, Any]]:
    """Yield a row of the table for each class, in the order in which they were first taught."""
    for number, (name, samples) in enumerate(analysis.data.counts.items()):
        predictions = analysis.confusion[number]
        right, predicted = int(predictions[number]), int(analysis.confusion[:, number].sum())
        wrong = predictions.copy()
        wrong[number] = 0
        other = int(wrong.argmax())
        gain = analysis.learning.gain(number) if analysis.learning else None
        yield {
            'label': shown(name),
            'samples': samples,
            'recall': _share(right, int(predictions.sum())),
            'precision': _share(right, predicted),
            'noticed': percent(float(analysis.noticed[number])),
            'mostly': f'{shown(analysis.names[other])} ({wrong[other]})' if wrong[other] else '–',
            'before': percent(gain.before if gain else math.nan),
            'after': percent(gain.after if gain else math.nan),
        }


def _card(
    analysis: Analysis,
    held_out: HeldOut,
    position: int,
    predicted: int,
    pictures: Mapping[int, str],
) -> dict[str, Any]:
    samples = analysis.data.samples
    row, label = int(held_out.rows[position]), int(held_out.labels[position])
    number = int(samples.ids[row])
    record = analysis.data.stored.get(number)
    return {
        'number': number,
        'label': shown(samples.names[label]),
        'prediction': shown(samples.names[predicted]),
        'confidence': percent(float(held_out.probabilities[position, predicted])),
        'label_probability': percent(float(held_out.probabilities[position, label])),
        'right': predicted == label,
        'chance': '',
        'camera': shown(record.camera) if record else '',
        'picture': pictures.get(number, ''),
        'near': [
            {
                'number': int(samples.ids[other]),
                'label': shown(samples.names[samples.labels[other]]),
                'picture': pictures.get(int(samples.ids[other]), ''),
                'distance': f'{distance:.3f}',
            }
            for other, distance in analysis.neighbours[row]
        ],
    }


def _share(right: int, total: int) -> str:
    return percent(right / total if total else math.nan)
