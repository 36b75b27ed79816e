# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""End to end on real photographs: extractor, store, training, report."""

from __future__ import annotations

from pathlib import Path

import cv2
from edgetpu_retrain.demo.camera_motion import glance, MotionRanges, take_picture
from edgetpu_retrain.demo.photographs import read_photograph
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.report.analysis.analysis import analyse
from edgetpu_retrain.report.analysis.report_data import read_report_data
from edgetpu_retrain.report.report_files import write_report
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
from support.samples import add_sample

VIEWS = MotionRanges(
    pan=(0.0, 0.8), zoom=(1.0, 2.5), rotation=(0.0, 30.0), exposure=(0.0, 1.0), noise=(0.0, 20.0)
)
SUBJECTS = ('cat', 'coffee', 'rocket')
SAMPLES = 20
# Position among all samples to what it was taught as.
PLANTED = {3: 'coffee', 25: 'rocket', 50: 'cat'}


def teach(folder: Path) -> dict[int, str]:
    """Fill a data folder; return the numbers of wrongly labelled samples and what they show."""
    extractor = Extractor(default_extractor_path().read_bytes())
    identity = extractor.description.identity
    quantization = extractor.description.quantization
    rng = np.random.default_rng(0)
    wrong = {}
    with SampleStore(folder / 'samples.db') as store:
        for index in range(len(SUBJECTS) * SAMPLES):
            subject = SUBJECTS[index // SAMPLES]
            (view,) = glance(VIEWS, 1, rng)
            picture = take_picture(read_photograph(subject), view, rng)
            written, jpeg = cv2.imencode('.jpg', picture[:, :, ::-1])
            assert written
            number = add_sample(
                store,
                PLANTED.get(index, subject),
                extractor.embed(picture),
                extractor=identity,
                quantization=quantization,
                image=jpeg.tobytes(),
            )
            if index in PLANTED:
                wrong[number] = subject
    return wrong


def test_planted_labels_are_found_among_photographs(data_dir: Path, tmp_path: Path) -> None:
    wrong = teach(data_dir)
    found = analyse(read_report_data(data_dir, 0))
    looks_like = [found.names[number] for number in found.mislabels.looks_like.tolist()]
    suspects = list(zip(found.suspects.tolist(), looks_like, strict=True))
    assert dict(suspects[: len(wrong)]) == wrong
    # An unusual view or two may be suspected, too, but less.
    assert len(suspects) <= len(wrong) + 2
    # What is nearest to a wrongly labelled picture shows what it really is.
    for number, subject in wrong.items():
        row = found.data.samples.ids.tolist().index(number)
        (nearest, distance), *_ = found.neighbours[row]
        assert found.names[int(found.data.samples.labels[nearest])] == subject
        assert 0.0 < distance < 0.5
    page = write_report(data_dir, tmp_path / 'out')[0].read_text('utf-8')
    for number in wrong:
        assert f'alt="picture of sample {number}" class="large"' in page
