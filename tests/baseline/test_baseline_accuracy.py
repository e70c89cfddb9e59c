"""How good a baseline is, in the measures that programs ask for."""

from __future__ import annotations

import numpy as np
import pytest

from commonwatt.baseline.accuracy import PJM_RRMSE_LIMIT, accuracy
from commonwatt.baseline.inputs import BaselineInputError


def compare(baseline: list[float], metered: list[float], *, parameters: int = 0) -> dict[str, float]:
    """One meter's figures."""
    load = np.array([metered])
    found = accuracy(baseline_kwh=np.array([baseline]), metered_kwh=load, valid=np.ones(load.shape, dtype=np.bool_), parameters=parameters)
    return {name: getattr(found, name)[0] for name in ("compared", "rrmse", "cvrmse", "nmbe")}


def test_published_figures() -> None:
    """The toy of CalTRACK's own tests: observed 1, 3, 4, 1, 6 and predicted 2, 3, 3, 2, 4 with two parameters."""
    found = compare([2, 3, 3, 2, 4], [1, 3, 4, 1, 6], parameters=2)
    assert {name: round(value, 3) for name, value in found.items()} == {
        "compared": 5, "rrmse": 0.394, "cvrmse": 0.509, "nmbe": -0.067
    }  # fmt: skip


def test_the_measures_are_per_meter_and_skip_gaps() -> None:
    """A gap in the readings, or an interval without a baseline, is not compared."""
    metered = np.array([[10.0, 10.0, 99.0], [10.0, np.nan, 10.0]])
    baseline = np.array([[12.0, 8.0, 0.0], [11.0, 7.0, np.nan]])
    valid = np.array([[True, True, False], [True, True, True]])
    found = accuracy(baseline_kwh=baseline, metered_kwh=metered, valid=valid)
    assert found.compared.tolist() == [2, 1]
    assert found.rrmse.tolist() == [0.2, 0.1]
    assert found.nmbe.tolist() == [0.0, 0.1]
    assert (found.rrmse <= PJM_RRMSE_LIMIT).tolist() == [True, True]


@pytest.mark.parametrize("metered", [[], [0.0, 0.0], [-1.0, -2.0], [np.nan, np.nan]])
def test_nothing_to_compare_with_gives_no_figure(metered: list[float]) -> None:
    """A share of nothing, or of exported energy, has no meaning; it is NaN and not an error."""
    found = compare([1.0] * len(metered), metered)
    assert np.isnan([found["rrmse"], found["cvrmse"], found["nmbe"]]).all()


def test_more_parameters_than_values_gives_no_figure() -> None:
    """Two values say nothing about a model of two parameters."""
    found = compare([1.0, 2.0], [1.0, 3.0], parameters=2)
    assert np.isnan(found["cvrmse"])
    assert found["nmbe"] == -0.25


def test_shapes_must_agree() -> None:
    """Arrays that do not belong together are refused."""
    with pytest.raises(BaselineInputError, match=r"must share one shape \(meters, values\), got \(1, 2\), \(1, 3\) and"):
        accuracy(baseline_kwh=np.ones((1, 2)), metered_kwh=np.ones((1, 3)), valid=np.ones((1, 3), dtype=np.bool_))
