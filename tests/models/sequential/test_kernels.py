"""Kernels: what scrape noise, unlike units and the common shift make of a likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sequential.evidence import evidence
from models.sequential.kernels import BLUR_FLOOR, blur, blur_kernel, build_kernels, normal_mass
from models.sequential.rows import ROWS, RowName

each_row = pytest.mark.parametrize("name", list(RowName))
TAUS, RHO = np.array([0.01, 0.05, 0.2]), np.array([0.5, 0.3, 0.2])


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30), st.floats(0.0, 3.0))
def test_mass_of_a_normal_is_one(distances: list[float], sd: float) -> None:
    """A prior that lost mass at the grid's end would be evidence out of nothing."""
    near = np.array([0.0, *distances])
    mass = normal_mass(near, sd)
    assert mass.sum() == pytest.approx(1.0)
    assert (mass >= 0).all()
    assert mass[0] == mass.max()


def test_mass_is_that_of_the_density() -> None:
    """One sd away weighs e^-1/2 of the middle."""
    mass = normal_mass(np.array([0.0, 0.3, 0.6]), 0.3)
    assert mass[1:] / mass[0] == pytest.approx(np.exp([-0.5, -2.0]))


@each_row
@pytest.mark.parametrize("noise", [0.0, 0.1, 1.0])
def test_blur_keeps_what_is_flat(name: RowName, noise: float) -> None:
    """A bin that says nothing says nothing after scrape noise either."""
    grid = ROWS[name].grid
    flat = blur(np.full((2, len(grid.theta)), -7.0), blur_kernel(grid, noise))
    assert flat == pytest.approx(np.full_like(flat, -7.0))


@given(st.floats(0.0, 0.5), st.floats(0.01, 0.5))
def test_more_scrape_noise_says_less(noise: float, more: float) -> None:
    """A pod that wavers from scrape to scrape convinces later."""
    grid = ROWS[RowName.LATENCY].grid
    sharp = (-0.5 * ((grid.theta - 0.2) / 0.02) ** 2)[None, :]
    calm, wild = (blur(sharp, blur_kernel(grid, sd)) for sd in (noise, noise + more))
    assert np.ptp(wild) <= np.ptp(calm) + 1e-9


@given(st.lists(st.floats(-1e5, 0), min_size=105, max_size=105))
def test_no_bin_says_more_than_its_floor(log_l: list[float]) -> None:
    """Whatever a store delivers, one bin of one pod moves the evidence by 4.6 nats at most."""
    grid = ROWS[RowName.LATENCY].grid
    told = np.resize(np.array(log_l), len(grid.theta))[None, :]
    assert np.ptp(blur(told, blur_kernel(grid, 0.0))) <= -np.log(BLUR_FLOOR) + 1e-9


@each_row
def test_every_kernel_is_a_distribution(name: RowName) -> None:
    """Null, harm and bet are compared with each other: each has the same mass."""
    made = build_kernels(ROWS[name], TAUS, RHO, 0.05)
    assert made.unit.sum(axis=0) == pytest.approx(1.0, abs=1e-5)
    assert made.tests.sum(axis=0) == pytest.approx(1.0)
    assert made.spread.sum(axis=1) == pytest.approx(1.0)
    assert made.bet.sum() == pytest.approx(1.0)
    assert made.tau == pytest.approx(0.5 * 0.01 + 0.3 * 0.05 + 0.2 * 0.2)


@each_row
@given(st.floats(0.0, 9.0))
def test_harm_lies_beyond_what_is_tolerated(name: RowName, tolerate: float) -> None:
    """An effect that the policy tolerates must never count as harm, whatever the policy says."""
    row = ROWS[name].with_limits(tolerate, tolerate + 0.5)
    harm = build_kernels(row, TAUS, RHO, 0.05).tests[:, 0]
    harmful = row.grid.shift[harm > 0]
    assert len(harmful) > 0
    assert (harmful > tolerate).all() or harmful.tolist() == [row.grid.shift[-1]]


@each_row
@given(st.floats(0.01, 0.3), st.floats(0.0, 1.0))
def test_a_flat_likelihood_is_no_evidence(name: RowName, sc: float, height: float) -> None:
    """Without data E is exactly one."""
    row = ROWS[name]
    flat = np.full(len(row.grid.shift), height)
    assert evidence(flat, build_kernels(row, TAUS, RHO, sc), row) == pytest.approx(0.0, abs=1e-9)


@each_row
def test_evidence_of_the_null_itself_averages_one(name: RowName) -> None:
    """The law behind every guarantee: under each null the e-value's mean is at most one.

    Each shift known exactly, weighed as the null weighs it.
    """
    row = ROWS[name]
    made = build_kernels(row, TAUS, RHO, 0.1)
    known = np.where(np.eye(len(row.grid.shift)) > 0, 0.0, -np.inf)
    e = np.exp(evidence(np.maximum(known, -200.0), made, row))
    for null in made.tests.T[1:]:
        assert float(null @ e) <= 1.0 + 1e-9


@given(st.floats(0.01, 0.5), st.floats(0.01, 0.5))
def test_unlike_units_weaken_one_unit(tau: float, more: float) -> None:
    """Where healthy pods differ much, one pod that differs is nothing to fail a release for."""
    row = ROWS[RowName.LATENCY]
    far = len(row.grid.theta) - 1
    like, unlike = (
        build_kernels(row, np.array([sd]), np.ones(1), 0.02).unit for sd in (tau, tau + more)
    )
    none = int(np.argmin(abs(row.grid.shift)))
    assert unlike[far, none] >= like[far, none] * (1 - 1e-5)


@pytest.mark.parametrize("name", RowName)
def test_a_bet_is_mostly_on_no_effect(name: RowName) -> None:
    """Most releases change nothing: those should be bounded first, others a little later."""
    row = ROWS[name]
    made = build_kernels(row, np.array([0.05]), np.ones(1), 0.1)
    best = int(made.bet.argmax())
    assert row.grid.shift[best] == 0.0
    assert made.bet[best] >= 0.5
    assert (made.bet > 0).all()
