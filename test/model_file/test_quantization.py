# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from typing import Any

from edgetpu_retrain.model_file.quantization import (
    dequantize,
    int8_parameters,
    QuantizationParameters,
    quantize,
    symmetric_int8_parameters,
    uint8_parameters,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
import numpy as np
import pytest
from support.normal_floats import floats

ends = floats(-(2.0**100), 2.0**100, width=32)
lengths = floats(2.0**-20, 2.0**20, width=32)


def test_ranges_get_the_parameters_that_libcoral_gives(data: Path) -> None:
    golden = np.load(data / 'quant_params.npz')
    ranges = golden['ranges']
    # The C++ gives the empty range a scale of 0, which no runtime takes.
    real = (ranges != 0).any(axis=1)
    assert real.sum() == 511
    parameters = [uint8_parameters(low, high) for low, high in ranges[real]]
    scales = np.array([each.scale for each in parameters], np.float32)
    np.testing.assert_array_equal(scales, golden['scale'][real])
    zero_points = [each.zero_point for each in parameters]
    np.testing.assert_array_equal(zero_points, golden['zero_point'][real])


@given(ends, ends)
def test_any_range_gets_parameters_that_a_runtime_takes(one: float, other: float) -> None:
    for parameters, limits in (
        (uint8_parameters(min(one, other), max(one, other)), np.iinfo(np.uint8)),
        (int8_parameters(min(one, other), max(one, other)), np.iinfo(np.int8)),
    ):
        assert np.float32(parameters.scale) > 0
        assert np.isfinite(parameters.scale)
        assert limits.min <= parameters.zero_point <= limits.max


@given(arrays(np.float32, st.integers(1, 30), elements=floats(-(2.0**20), 2.0**20, width=32)))
def test_quantization_round_trips_within_one_step(values: Any) -> None:
    for parameters, dtype in (
        (uint8_parameters(float(values.min()), float(values.max())), 'uint8'),
        (int8_parameters(float(values.min()), float(values.max())), 'int8'),
        (symmetric_int8_parameters(float(np.abs(values).max())), 'int8'),
    ):
        assert dtype in ('uint8', 'int8')
        quantized = quantize(values, parameters, dtype)
        assert quantized.dtype == dtype
        error = np.abs(dequantize(quantized, parameters) - values)
        # Half a step of rounding, half of a zero point that is rounded, some float32 dust.
        assert error.max() <= parameters.scale * 1.001


@given(lengths)
def test_zero_stays_zero(length: float) -> None:
    for low, high in ((-length, length), (0, length), (-length, 0), (length / 2, length)):
        parameters = uint8_parameters(low, high)
        assert dequantize(quantize([0], parameters, 'uint8'), parameters)[0] == 0


@given(floats(2.0**-20, 2.0**100, width=32))
def test_symmetric_weights_use_no_minus_128(largest: float) -> None:
    parameters = symmetric_int8_parameters(largest)
    assert parameters.zero_point == 0
    quantized = quantize([-largest, 0, largest], parameters, 'int8')
    assert quantized.tolist() == [-127, 0, 127]


@given(arrays(np.uint8, 20), floats(2.0**-20, 2.0**20, width=32), st.integers(0, 255))
def test_integers_survive_the_way_to_reals_and_back(
    integers: Any, scale: float, zero_point: int
) -> None:
    parameters = QuantizationParameters(scale, zero_point)
    reals = dequantize(integers, parameters)
    assert reals.dtype == np.float32
    np.testing.assert_array_equal(quantize(reals, parameters, 'uint8'), integers)


def test_halves_are_rounded_away_from_zero() -> None:
    unit = QuantizationParameters(1.0, 0)
    values = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999997], np.float32)
    assert quantize(values, unit, 'int8').tolist() == [-3, -2, -1, 1, 2, 3, 0]


def test_values_out_of_range_are_clipped() -> None:
    unit = QuantizationParameters(1.0, 0)
    assert quantize([-1e30, 1e30], unit, 'uint8').tolist() == [0, 255]
    assert quantize([-1e30, 1e30], unit, 'int32').tolist() == [-(2**31), 2**31 - 1]


def test_an_empty_range_counts_as_zero_to_one() -> None:
    for tiny in (0.0, 1e-40, -1e-40):
        low, high = min(0.0, tiny), max(0.0, tiny)
        assert uint8_parameters(low, high) == uint8_parameters(0, 1)
    assert symmetric_int8_parameters(0) == symmetric_int8_parameters(1)


def test_float32_tensors_have_no_parameters_and_stay_as_they_are() -> None:
    values = np.array([0.1, -7], np.float32)
    assert dequantize(values, None) is values


@pytest.mark.parametrize(
    ('low', 'high'), [(1, 0), (np.nan, 1), (0, np.nan), (-np.inf, 0), (0, np.inf), (-3e38, 3e38)]
)
def test_an_invalid_range_is_rejected_with_its_ends(low: float, high: float) -> None:
    with pytest.raises(ValueError, match='range') as caught:
        uint8_parameters(low, high)
    assert str(low) in str(caught.value)
    assert str(high) in str(caught.value)


@pytest.mark.parametrize('largest', [-1, np.nan, np.inf, 1e39])
def test_an_invalid_largest_weight_is_rejected(largest: float) -> None:
    with pytest.raises(ValueError, match='largest is'):
        symmetric_int8_parameters(largest)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_non_finite_values_are_rejected(value: float) -> None:
    with pytest.raises(ValueError, match='NaN or infinity'):
        quantize([0, value], QuantizationParameters(1.0, 0), 'uint8')
