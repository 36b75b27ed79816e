# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from array import array
from typing import Any

from edgetpu_retrain.errors import RequestError
from edgetpu_retrain.node.parameters.camera_names import (
    check_camera_names,
    MAX_CAMERA_NAME_LENGTH,
    MAX_CAMERAS,
)
from edgetpu_retrain.node.parameters.values import (
    camera_parameters,
    collect_parameters,
    PARAMETERS,
)
from edgetpu_retrain.parameter import Parameter
from edgetpu_retrain.pictures.region import Region
from edgetpu_retrain.training_options import TrainingOptions
import pytest


def values(**changes: Any) -> dict[str, Any]:
    defaults = {each.name: each.default for each in PARAMETERS}
    for camera in changes.get('cameras', ['camera']):
        defaults |= {each.name: each.default for each in camera_parameters(camera)}
    return defaults | changes


MOST = 2**63 - 1
# Name, default, smallest and largest value, whether a change takes effect at once.
DECLARED: list[tuple[str, Any, tuple[float, float] | None, bool]] = [
    ('autostart', True, None, False),
    ('cameras', ['camera'], None, False),
    ('extractor', '', None, False),
    ('input_range', '', None, False),
    ('input_size', '', None, False),
    ('model_output', '', None, False),
    ('device', 'auto', None, False),
    ('fallback_extractor', '', None, False),
    ('invoke_timeout_s', 2.0, (0.01, 3600.0), False),
    ('num_threads', 1, (1, 64), False),
    ('data_dir', '', None, False),
    ('num_iter', 0, (0, 1_000_000), True),
    ('learning_rate', 0.0, (0.0, 1000.0), True),
    ('batch_size', 100, (1, 100_000), True),
    ('reg', 0.0, (0.0, 1e9), True),
    ('rejection_rate', 0.05, (0.0, 0.99), True),
    ('seed', 0, (0, MOST), True),
    ('sample_timeout_s', 10.0, (0.001, 86400.0), True),
    ('min_novelty', 0.0, (-1.0, 2.0), True),
    ('store_images', 'thumbnail', None, True),
    ('max_questions', 0, (0, 1000), True),
    ('keep_models', 20, (1, 1_000_000), True),
    ('follow_models', False, None, True),
    ('unknown_below', 0.0, (0.0, 1.0), True),
    ('background_label', 'background', None, True),
    ('smoothing_frames', 1, (1, 1000), True),
    ('smoothing_hysteresis', 0.1, (0.0, 1.0), True),
    ('max_results', 0, (0, 100_000), True),
]
DECLARED_FOR_A_CAMERA: list[tuple[str, Any, tuple[float, float] | None, bool]] = [
    ('front.image_topic', 'image', None, False),
    ('front.image_transport', 'raw', None, False),
    ('front.device', '', None, False),
    ('front.active', True, None, True),
    ('front.roi', [0, 0, 0, 0], None, True),
    ('front.bits', 16, (8, 16), True),
    ('front.detections_topic', '', None, False),
    ('front.detections_timeout_s', 0.5, (0.001, 60.0), True),
    ('front.max_detections', 32, (1, 1000), True),
]


@pytest.mark.parametrize(
    ('parameters', 'expected'),
    [(PARAMETERS, DECLARED), (camera_parameters('front'), DECLARED_FOR_A_CAMERA)],
    ids=['node', 'camera'],
)
def test_names_defaults_ranges_and_times_of_effect(
    parameters: tuple[Parameter, ...],
    expected: list[tuple[str, Any, tuple[float, float] | None, bool]],
) -> None:
    declared = [(each.name, each.default, each.allowed, each.live) for each in parameters]
    assert declared == expected
    # 10 and 10.0 are equal, and so are 1 and True; to ROS they differ in type.
    assert [type(each[1]) for each in declared] == [type(each[1]) for each in expected]


def test_choices() -> None:
    choices = {
        each.name: each.choices
        for each in (*PARAMETERS, *camera_parameters('front'))
        if each.choices
    }
    assert choices == {
        'store_images': ('none', 'thumbnail', 'full'),
        'front.image_transport': ('raw', 'compressed'),
    }


def test_a_description_names_the_unit() -> None:
    named = {each.name: each.description for each in (*PARAMETERS, *camera_parameters('front'))}
    for name in ('invoke_timeout_s', 'sample_timeout_s', 'front.detections_timeout_s'):
        assert named[name].endswith(', in seconds.')
    assert named['front.roi'].endswith(', in pixels.')
    assert named['num_threads'] == 'Threads of the CPU for inference.'


def test_the_defaults_make_a_node() -> None:
    parameters = collect_parameters(values().__getitem__)
    assert parameters.camera_names == ('camera',)
    assert parameters.cameras[0].image_topic == 'image'
    assert parameters.cameras[0].image_transport == 'raw'


def test_the_defaults_are_those_of_a_training() -> None:
    parameters, options = collect_parameters(values().__getitem__), TrainingOptions()
    for name in ('batch_size', 'rejection_rate', 'seed'):
        assert getattr(parameters, name) == getattr(options, name)
    for name in ('num_iter', 'learning_rate', 'reg'):
        # No parameter can be None.
        assert (getattr(parameters, name) or None) is getattr(options, name) is None


def test_each_camera_has_parameters_of_its_own() -> None:
    given = values(cameras=['left', 'right'])
    given['right.image_topic'] = '/stereo/right'
    given['right.image_transport'] = 'compressed'
    parameters = collect_parameters(given.__getitem__)
    assert [camera.image_topic for camera in parameters.cameras] == ['image', '/stereo/right']
    assert [camera.image_transport for camera in parameters.cameras] == ['raw', 'compressed']


@pytest.mark.parametrize(
    'names', [[], [''], ['a', 'a'], ['a', ''], ['1st'], ['a b'], ['_x'], ['a/b'], ['a.b']]
)
def test_impossible_camera_names_are_refused(names: list[str]) -> None:
    with pytest.raises(RequestError, match='parameter cameras'):
        check_camera_names(names)


def test_an_unknown_transport_is_refused() -> None:
    given = values()
    given['camera.image_transport'] = 'theora'
    with pytest.raises(RequestError, match=r"image_transport is 'theora': set it to raw or comp"):
        collect_parameters(given.__getitem__)


@pytest.mark.parametrize('name', ['device', 'camera.device'])
def test_an_impossible_device_is_refused_with_the_name_of_the_parameter(name: str) -> None:
    given = values()
    given[name] = 'usb:1'
    assert collect_parameters(given.__getitem__).device_of['camera'] == 'usb:1'
    given[name] = 'foo:1'
    with pytest.raises(RequestError, match=rf"parameter {name}: .*'foo:1'; it must be 'auto', "):
        collect_parameters(given.__getitem__)


def test_the_region_of_a_camera_is_read() -> None:
    given = values()
    assert collect_parameters(given.__getitem__).cameras[0].roi is None
    given['camera.roi'] = array('q', [1, 2, 30, 40])
    assert collect_parameters(given.__getitem__).cameras[0].roi == Region(1, 2, 30, 40)


@pytest.mark.parametrize('roi', [[1, 2, 3], [0, 0, 5, 0], [-1, 0, 5, 5]])
def test_an_impossible_region_is_refused_with_the_name_of_the_parameter(roi: list[int]) -> None:
    given = values()
    given['camera.roi'] = roi
    with pytest.raises(RequestError, match=r'parameter camera\.roi: the region of interest'):
        collect_parameters(given.__getitem__)


def test_defaults_are_in_their_range_and_every_parameter_is_described() -> None:
    for parameter in (*PARAMETERS, *camera_parameters('front')):
        assert parameter.description.endswith('.')
        if parameter.allowed is not None:
            assert isinstance(parameter.default, (int, float))
            assert parameter.allowed[0] <= parameter.default <= parameter.allowed[1]


@pytest.mark.parametrize(
    ('names', 'words'),
    [
        (
            [f'camera_{number}' for number in range(MAX_CAMERAS + 1)],
            'has 33 names: use at most 32',
        ),
        (['x' * (MAX_CAMERA_NAME_LENGTH + 1)], 'use at most 50 characters'),
        (['\x1b[31m' * 100_000], r'\(500000 characters\)'),
        (['left', 'left', 'right'], 'left, left, right: each name must be there once'),
    ],
)
def test_too_many_cameras_and_too_long_names_are_refused(names: list[str], words: str) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        check_camera_names(names)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_value_that_is_none_or_endless_is_refused() -> None:
    for parameter in (*PARAMETERS, *camera_parameters('front')):
        with pytest.raises(RequestError, match=f'parameter {parameter.name} has no value'):
            parameter.check(None)
    (extractor,) = (each for each in PARAMETERS if each.name == 'extractor')
    extractor.check('x' * 4096)
    with pytest.raises(RequestError, match='use at most 4096 characters'):
        extractor.check('x' * 4097)
