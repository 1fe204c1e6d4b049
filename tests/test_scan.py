"""One slice has one answer, whoever asks."""

from __future__ import annotations

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

import recon
from recon import cli, phantom
from recon.coils.compression import compressed
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c, rss
from recon.kspace import KSpace, Source
from recon.methods import METHODS, methods
from recon.pipeline import solve
from recon.scan import Scan

SHAPE = (48, 40)


@pytest.fixture(scope="module")
def coils() -> np.ndarray:
    """Four coils that see different parts of one object: complex64, shape (4, H, W)."""
    image = ifft2c(phantom.kspace(SHAPE, seed=1))
    y, x = np.mgrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j]
    places = ((-1, -1), (-1, 1), (1, -1), (1, 1))
    fields = [np.exp(-((y - a) ** 2) - (x - b) ** 2 + 1j * a * x) for a, b in places]
    return fft2c(np.stack(fields) * image).astype(np.complex64)


@pytest.fixture(scope="module")
def file(coils, tmp_path_factory):
    """A multi-coil file that tells its volume's maximum."""
    path = tmp_path_factory.mktemp("scan") / "volume.h5"
    with h5py.File(path, "w") as h5:
        h5["kspace"] = np.stack([coils, 1.7 * coils])
        h5.attrs["max"] = float(1.7 * rss(ifft2c(coils)).max())
    return path


@pytest.mark.parametrize("wish", [{}, {"coils": "svd"}, {"coils": 2}, {"phase_encode": "rows"}])
@pytest.mark.parametrize("method", ["zero-filled", "cs"])
def test_python_command_line_and_scan_agree(file, tmp_path, wish, method):
    kspace = recon.read(file, slice=0)
    result = recon.reconstruct(kspace, 4, 3, method, **wish)
    words = [f"--{name.replace('_', '-')}={value}" for name, value in wish.items()]
    arguments = [str(file), "--slice=0", "--seed=3", f"--method={method}", f"--out={tmp_path}"]
    assert cli.main(arguments + words) == 0
    (record,) = json.loads((tmp_path / "metrics.json").read_text())
    for name, value in result.metrics.items():
        assert record[name] == value
    whole = "slice maximum" if "coils" in wish and wish["coils"] == 2 else "volume maximum"
    assert result.data_range_from == record["data_range_from"] == whole

    scan = Scan.of(kspace, **wish)
    sampling = scan.draw(4, 3)
    image = METHODS[method](scan.measure(sampling.mask, 4))
    assert scan.score(image) == result.metrics
    assert scan.ssim(image) == result.metrics["ssim"]
    assert scan.similarity(image) == pytest.approx(result.metrics["ssim"], abs=1e-6)
    np.testing.assert_array_equal(scan.upright(image), result.image)


def test_opening_a_scan_and_its_lines_runs_no_network(coils, monkeypatch):
    """Neither does anything else that only looks: the truth, the zero-filled image, scores."""
    for method in METHODS.values():
        monkeypatch.setattr(type(method), "__call__", lambda *_: pytest.fail("a method ran"))
        monkeypatch.setattr(type(method), "coil_images", lambda *_: pytest.fail("a method ran"))
    scan = Scan.of(coils)
    measurement = scan.measure(scan.draw(8, 1).mask, 8)
    assert scan.score(measurement.zero_filled)["ssim"] < 1


def test_rows_are_the_columns_of_the_transposed_array(coils):
    rows = Scan.of(coils, phase_encode="rows")
    columns = Scan.of(np.ascontiguousarray(coils.swapaxes(-2, -1)))
    assert rows.width == columns.width == SHAPE[0]
    np.testing.assert_array_equal(rows.kspace, columns.kspace)
    np.testing.assert_array_equal(rows.upright(rows.truth), columns.truth.T)
    assert rows.turned(3, 5) == (5, 3)


def test_swapping_twice_is_the_same_scan_and_pictures_stay_upright(coils):
    scan = Scan.of(coils, crop=(30, 24))
    swapped = scan.swapped()
    assert swapped.width == SHAPE[0]
    np.testing.assert_allclose(
        swapped.upright(swapped.truth), scan.upright(scan.truth), rtol=1e-5, atol=1e-7
    )
    np.testing.assert_array_equal(swapped.swapped().kspace, scan.kspace)
    assert swapped.swapped().crop == scan.crop


def test_the_crop_belongs_to_the_scan(coils):
    scan = Scan.of(coils, crop=(20, 16))
    result = solve(scan, scan.draw(4), METHODS["cs"])
    assert result.image.shape == result.reference.shape == result.zero_filled.shape == (20, 16)


@pytest.mark.parametrize("method", methods())
def test_coil_images_show_the_picture(coils, method):
    """Of every kind of method: what is split, exported and scored is the same."""
    scan = Scan.of(coils)
    measurement = scan.measure(scan.draw(2, 0, "calibrated", 0.5).mask, 2)
    image = METHODS[method](measurement)
    images = METHODS[method].coil_images(measurement)
    assert images.shape == measurement.kspace.shape
    assert images.dtype == np.complex64
    again = METHODS[method].picture(images, measurement)
    np.testing.assert_allclose(again, image, atol=1e-5 * image.max())


def test_data_that_arrived_undersampled_have_no_truth(coils):
    mask = np.arange(SHAPE[1]) % 2 == 0
    scan = Scan.of(KSpace(coils * mask, Source(mask=mask)), phase_encode="rows")
    assert scan.phase_encode == "columns"
    assert (scan.reference, scan.data_range, scan.data_range_from) == (None, None, "")
    assert scan.score(np.zeros(SHAPE, np.float32)) is None
    for needs_all in (lambda: scan.truth, lambda: scan.fully_sampled, lambda: scan.similarity):
        with pytest.raises(recon.InputError, match="undersampled already"):
            needs_all()
    drawn = scan.draw(8, 5)
    np.testing.assert_array_equal(drawn.mask, mask)
    assert (drawn.acceleration, drawn.seed, drawn.family) == (2, None, None)


def test_another_object_is_judged_by_its_own_truth(coils):
    scan = Scan.of(coils)
    other = scan.with_kspace(2 * coils)
    np.testing.assert_allclose(other.truth, 2 * scan.truth, rtol=1e-6)
    assert other.data_range == pytest.approx(2 * scan.data_range)
    assert replace(scan, coils="svd").data_range == scan.data_range


# ---- virtual coils --------------------------------------------------------------------------


def test_virtual_coils_hold_the_energy_that_was_asked_for(coils):
    mask = Scan.of(coils).draw(4).mask
    measured = coils * mask
    total = np.linalg.norm(measured) ** 2
    for energy in (0.5, 0.9, 0.995, 1.0):
        virtual = compressed(measured, mask, energy)
        flat = virtual.reshape(len(virtual), -1)
        correlation = flat @ flat.conj().T  # virtual coils have nothing in common
        np.testing.assert_allclose(correlation, np.diag(np.diag(correlation)), atol=1e-5 * total)
        kept = np.linalg.norm(virtual) ** 2 / total
        assert energy - 1e-5 <= kept <= 1 + 1e-5
        if len(virtual) > 1:  # one fewer would not do
            assert np.linalg.norm(virtual[:-1]) ** 2 / total < energy


def test_virtual_coils_are_judged_against_all_coils(coils):
    result = recon.reconstruct(coils, method="zero-filled", coils="svd")
    everything = recon.reconstruct(coils, method="zero-filled")
    np.testing.assert_array_equal(result.reference, everything.reference)
    np.testing.assert_allclose(
        result.image, everything.image, atol=0.08 * float(everything.image.max())
    )


def test_one_coil_is_any_whole_number_and_has_to_hold_something(coils):
    np.testing.assert_array_equal(Scan.of(coils, coils=np.int64(1)).kspace, coils[1])
    silent = coils.copy()
    silent[1] = 0
    with pytest.raises(InputError, match="Coil 1 measured nothing"):
        Scan.of(silent, coils=1)


def test_a_silent_coil_costs_nothing(coils):
    silent = np.concatenate([coils, np.zeros_like(coils[:1])])
    mask = Scan.of(coils).draw(4).mask
    assert len(compressed(silent, mask)) <= len(coils)
    assert np.isfinite(compressed(silent, mask, 1.0)).all()
