"""What the lessons on coils say happens on their example, computed from its numbers."""

import numpy as np
import pytest

from recon import examples
from recon.coils import phantom as coil_phantom
from recon.coils.gfactor import analytic
from recon.coils.sense import unit_length
from recon.coils.simulate import Loops
from recon.probes.coils import views
from recon.scan import Scan
from recon.ui.lessons import coils
from recon.ui.session import COILS
from tests.helpers.answers import numbers
from tests.helpers.coils import seen


@pytest.fixture(scope="module")
def scan() -> Scan:
    return Scan.of(examples.load(COILS.example))


def test_many_coils_part_the_copies(scan):
    found = coils.many_coils(scan, 0)
    folded, solved = numbers(found.sentence, r"([\d.]+)% away")
    assert folded > 50
    assert solved < 3


def test_noise_grows_by_more_than_the_root(scan):
    found = coils.cost_of_coils(scan, 0)
    at_two, at_four = numbers(found.sentence, r"noise is ([\d.]+) times")
    assert at_two >= 2**0.5 - 0.01
    assert at_four > 2  # more than the root of the lines that are missing
    assert at_four / at_two > 2**0.5
    # The truth, from fields that nobody had to estimate: maps at the rim are never exact.
    true = unit_length(coil_phantom.sensitivities(Loops.ring(8)))
    inside = np.abs(views(scan).maps).sum(0) > 0
    expected = 2 * analytic((true * inside).astype(np.complex64), 4)[inside].mean()
    assert at_four == pytest.approx(expected, rel=0.06)


def test_two_coils_do_not_part_more_copies():
    found = coils.cost_of_coils(Scan.of(seen(2, (64, 60))), 0)
    assert "2 coils cannot part 4 pixels: there is no solution in " in found.sentence
    assert max(numbers(found.sentence, r"times g = (\d+\.\d+)")) < 5
