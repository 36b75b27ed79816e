# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import fields
import itertools

from edgetpu_retrain.demo.camera_motion import (
    EXAM,
    glance,
    MotionRanges,
    PICTURE_SIZE,
    picture_to_photograph,
    take_picture,
    TEACHING,
    View,
)
import numpy as np
import pytest

WIDTH, HEIGHT = PICTURE_SIZE


def magnitudes(view: View) -> dict[str, tuple[float, ...]]:
    return {
        'pan': (abs(view.pan_x), abs(view.pan_y)),
        'zoom': (view.zoom,),
        'rotation': (abs(view.rotation),),
        'exposure': (abs(view.exposure),),
        'noise': (view.noise,),
    }


def plain_view(**changes: float) -> View:
    values = dict.fromkeys(('pan_x', 'pan_y', 'rotation', 'exposure', 'noise'), 0.0)
    return View(**{**values, 'zoom': 1.0, **changes})


@pytest.mark.parametrize('quantity', [field.name for field in fields(MotionRanges)])
def test_exam_and_teaching_have_no_value_in_common(quantity: str) -> None:
    _, largest_taught = getattr(TEACHING, quantity)
    smallest_examined, _ = getattr(EXAM, quantity)
    assert largest_taught < smallest_examined


@pytest.mark.parametrize('ranges', [TEACHING, EXAM], ids=['teaching', 'exam'])
def test_a_glance_never_leaves_its_ranges(ranges: MotionRanges) -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        views = list(glance(ranges, 10, rng))
        assert len(views) == 10
        for view in views:
            for quantity, values in magnitudes(view).items():
                smallest, largest = getattr(ranges, quantity)
                for value in values:
                    assert smallest - 1e-12 <= value <= largest + 1e-12, quantity


def test_a_glance_moves_a_little_from_frame_to_frame() -> None:
    views = list(glance(EXAM, 10, np.random.default_rng(1)))
    assert views[0] != views[-1]
    steps = [abs(a.rotation - b.rotation) for a, b in itertools.pairwise(views)]
    whole = abs(views[-1].rotation - views[0].rotation)
    assert sum(steps) == pytest.approx(whole)
    assert max(steps) < whole / 3


def test_glances_differ_from_each_other_and_repeat_with_the_seed() -> None:
    rng = np.random.default_rng(5)
    first, second = list(glance(EXAM, 3, rng)), list(glance(EXAM, 3, rng))
    assert first != second
    assert first == list(glance(EXAM, 3, np.random.default_rng(5)))


@pytest.mark.parametrize('photograph_size', [(640, 427), (512, 512), (384, 303)])
def test_no_view_shows_what_lies_outside_of_the_photograph(
    photograph_size: tuple[int, int],
) -> None:
    rng = np.random.default_rng(2)
    corners = np.array([(0, 0, 1), (WIDTH, 0, 1), (0, HEIGHT, 1), (WIDTH, HEIGHT, 1)])
    for ranges in (TEACHING, EXAM):
        for _ in range(200):
            for view in glance(ranges, 2, rng):
                seen = corners @ picture_to_photograph(view, photograph_size).T
                assert (seen >= -1e-6).all()
                assert (seen <= np.array(photograph_size) + 1e-6).all()


def test_an_upright_view_of_a_photograph_of_its_own_size_is_that_photograph() -> None:
    photograph = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    picture = take_picture(photograph, plain_view(), np.random.default_rng(0))
    np.testing.assert_array_equal(picture, photograph)


def test_zoom_two_shows_the_middle_half() -> None:
    transform = picture_to_photograph(plain_view(zoom=2.0), (WIDTH, HEIGHT))
    np.testing.assert_allclose(transform @ (0, 0, 1), (WIDTH / 4, HEIGHT / 4))
    np.testing.assert_allclose(transform @ (WIDTH, HEIGHT, 1), (WIDTH * 3 / 4, HEIGHT * 3 / 4))


def test_pan_reaches_the_edges() -> None:
    view = plain_view(zoom=2.0, pan_x=1.0, pan_y=-1.0)
    transform = picture_to_photograph(view, (WIDTH, HEIGHT))
    np.testing.assert_allclose(transform @ (WIDTH, 0, 1), (WIDTH, 0), atol=1e-9)


def test_exposure_is_in_stops_and_saturates() -> None:
    photograph = np.full((48, 64, 3), 100, np.uint8)
    photograph[:24] = 200
    size = (64, 48)
    brighter = take_picture(photograph, plain_view(exposure=1.0), np.random.default_rng(0), size)
    darker = take_picture(photograph, plain_view(exposure=-1.0), np.random.default_rng(0), size)
    assert (brighter[:20] == 255).all()
    assert (brighter[28:] == 200).all()
    assert (darker[28:] == 50).all()


def test_noise_has_the_wanted_strength_and_differs_from_picture_to_picture() -> None:
    photograph = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    rng = np.random.default_rng(0)
    first = take_picture(photograph, plain_view(noise=10.0), rng)
    second = take_picture(photograph, plain_view(noise=10.0), rng)
    assert first.std() == pytest.approx(10.0, rel=0.02)
    assert (first != second).mean() > 0.9
