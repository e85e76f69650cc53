# ruff: noqa: S311
from __future__ import annotations

import random
from itertools import pairwise
from math import pi, sqrt

import pytest

from cicd_agents.analysis.canary.noise import APART, USUAL_TAU, apart, calibrate, widening


def _rows(draw: random.Random, pods: int, minutes: int, mean: float, pod: float = 0.0, minute: float = 0.0) -> list[list[float]]:
    rows = []
    for _ in range(pods):
        own = mean * (1 + draw.gauss(0, pod))
        rows.append([max(0.0, round(draw.gauss(own * (1 + draw.gauss(0, minute)), sqrt(own)))) for _ in range(minutes)])
    return rows


def test_pure_chance_is_about_one() -> None:
    noise = calibrate(_rows(random.Random(1), 8, 40, 50.0), [[1000.0] * 40 for _ in range(8)])
    assert noise.phi == pytest.approx(1.0, abs=0.15)
    assert noise.tau < 0.06
    assert noise.quiet


def test_noise_of_minutes_shows_as_dispersion() -> None:
    # The variance is mean + (0.3 × mean)²: 50 + 225, so phi is about 5.5.
    assert calibrate(_rows(random.Random(2), 8, 40, 50.0, minute=0.3), [[1000.0] * 40 for _ in range(8)]).phi == pytest.approx(5.0, rel=0.3)


def test_lasting_differences_show_as_pod_noise() -> None:
    noise = calibrate(_rows(random.Random(3), 12, 40, 50.0, pod=0.3), [[1000.0] * 40 for _ in range(12)])
    assert noise.tau == pytest.approx(0.25, abs=0.1)
    assert noise.phi < 1.3


def test_shared_minutes_are_no_noise() -> None:
    rows = [[50.0 * (4 if 10 <= minute < 15 else 1) for minute in range(40)] for _ in range(6)]
    assert calibrate(rows, [[1000.0] * 40 for _ in range(6)]).phi == 1.0


def test_without_data_the_usual_is_assumed() -> None:
    assert USUAL_TAU < calibrate([], []).tau < 3 * USUAL_TAU
    assert calibrate([[0.0] * 5], [[100.0] * 5]).phi == 1.0


def test_a_single_replica_is_judged_by_its_minutes() -> None:
    draw = random.Random(4)
    calm = [float(round(draw.gauss(100, 10))) for _ in range(60)]
    wild = [max(0.0, round(draw.gauss(100, 60))) for _ in range(60)]
    assert calibrate([calm], [[5000.0] * 60]).phi < 2
    assert calibrate([wild], [[5000.0] * 60]).phi > 8


def test_a_loud_baseline_is_told_and_weighed_down() -> None:
    # Half of the pods get worse in the middle: neither dispersion nor lasting differences describe that.
    rows = [[20.0] * 30 + [20.0 if pod % 2 else 90.0] * 12 for pod in range(4)]
    noise = calibrate(rows, [[1000.0] * 42 for _ in range(4)])
    assert noise.phi > 3


def test_widening_grows_with_noise_and_shrinks_with_pods() -> None:
    assert 1.0 == widening(0.0, 1, 1, 2.5) < widening(0.1, 4, 8, 2.5) < widening(0.1, 1, 8, 2.5) < widening(0.3, 1, 8, 2.5) <= 4.0


def test_few_errors_leave_the_prior_and_many_replace_it() -> None:
    few = calibrate(_rows(random.Random(5), 8, 40, 0.05, pod=0.3), [[1000.0] * 40 for _ in range(8)])
    many = calibrate(_rows(random.Random(6), 8, 40, 200.0), [[9000.0] * 40 for _ in range(8)])
    assert sum(weight for _, weight in few.taus) == pytest.approx(1)
    assert few.tau == pytest.approx(calibrate([], []).tau, rel=0.4)
    assert many.tau < 0.03


def test_equally_good_versions_are_apart_by_the_noise_of_their_pods() -> None:
    def beyond(taus: tuple[tuple[float, float], ...], pods: float, wider: float = 1.0) -> float:
        return sum(weight for log_ratio, weight in apart(taus, pods, 8, wider) if log_ratio >= 0.3)

    calm, wild = ((0.05, 1.0),), ((0.4, 1.0),)
    assert sum(weight for _, weight in apart(wild, 1, 8)) == pytest.approx(1)
    assert beyond(calm, 1) < 1e-3 < beyond(wild, 4) < beyond(wild, 1) < beyond(wild, 1, 2.0) < 0.5


def test_each_point_stands_where_the_mass_of_its_interval_is() -> None:
    points = apart(((0.3, 0.6), (0.1, 0.4)), 1, 4)
    edges = [0.5 * (low + high) for low, high in pairwise(APART)]
    assert all(low <= log_ratio <= high for (log_ratio, _), low, high in zip(points[1:], edges, [*edges[1:], 9.0], strict=False))
    # The mean of what is positive: the spread times the density of the normal distribution at 0, but for the first interval, which stands at 0.
    whole = sqrt(1 + 1 / 4) * (0.6 * 0.3 + 0.4 * 0.1) / sqrt(2 * pi)
    assert whole - edges[0] * points[0][1] < sum(log_ratio * weight for log_ratio, weight in points) < whole
