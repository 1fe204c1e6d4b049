"""An array in memory is examined as the same array in a file is."""

from __future__ import annotations

import numpy as np
import pytest

import recon
from recon import phantom
from recon.coils import phantom as coil_phantom
from recon.coils.phantom import Loops
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from recon.kspace import KSpace
from recon.scan import Scan
from tests.helpers.files import heads, kspace, npy, said
from tests.helpers.noise import noise

SHAPE = (64, 48)


@pytest.fixture(scope="module")
def full() -> np.ndarray:
    return phantom.kspace(SHAPE, seed=1)


@pytest.fixture(scope="module")
def coils() -> np.ndarray:
    """Eight coil images of one slice, (8, H, W)."""
    return coil_phantom.kspace(Loops.ring(8), SHAPE)


def lines(seed: int = 0) -> np.ndarray:
    return recon.reconstruct(phantom.kspace(SHAPE, seed=1), 4, seed, "zero-filled").line_mask


def test_an_undersampled_array_has_no_reference_and_no_scores(full):
    """Its aliased image once was taken for the truth: zero-filled SSIM 1."""
    mask = lines()
    for more in ({}, {"mask": mask}):
        result = recon.reconstruct(full * mask, method="zero-filled", **more)
        assert result.reference is None
        assert result.metrics is None
        np.testing.assert_array_equal(result.line_mask, mask)
        assert result.seed is None
    assert said(recon.reconstruct(full * mask).source, "columns are zero", "undersampled")


@pytest.mark.parametrize("scale", [1e-25, 1, 1e25])
def test_zeros_that_were_an_image_in_between_are_zeros(full, scale):
    """In single precision they come back as rounding errors, which once were taken as measured."""
    mask = lines()
    stored = (fft2c(ifft2c((full * mask).astype(np.complex64))) * scale).astype(np.complex64)
    assert stored[..., ~mask].any()
    for more in ({}, {"mask": mask}):
        result = recon.reconstruct(stored, method="zero-filled", **more)
        assert result.reference is None
        np.testing.assert_array_equal(result.line_mask, mask)
    assert said(recon.reconstruct(stored).source, "columns are zero", "undersampled")
    faint = full.copy()
    faint[..., ~mask] *= 1e-4  # of a scan, though weak
    assert recon.reconstruct(faint, method="zero-filled").reference is not None


@pytest.mark.parametrize("off", [(0, 0), (0, 20), (20, 0), (9, -30)])
@pytest.mark.parametrize("sigma", [2.0, 4.0])
def test_a_smooth_object_without_noise_fades_away_and_was_measured_in_full(off, sigma):
    y, x = (np.arange(128) - 64.0 for _ in range(2))
    image = np.exp(-(y[:, None] ** 2 + x**2) / (2 * sigma**2)).astype(np.complex64)
    turn = np.exp(2j * np.pi * (off[0] * y[:, None] + off[1] * x) / 128)  # the echo's place
    result = recon.reconstruct(fft2c(image * turn).astype(np.complex64), method="zero-filled")
    assert result.reference is not None
    assert not said(result.source, "zero")


@pytest.mark.parametrize("share", [0.6, 0.85])
@pytest.mark.parametrize("flip", [False, True])
def test_partial_fourier_has_no_reference(full, share, flip):
    one_sided = full.copy()
    one_sided[:, round(share * SHAPE[1]) :] = 0
    one_sided = one_sided[:, ::-1] if flip else one_sided
    result = recon.reconstruct(one_sided, method="zero-filled")
    assert result.reference is None
    assert result.metrics is None
    assert said(result.source, "partial Fourier")


@pytest.mark.parametrize("share", [0.6, 0.85])
def test_an_asymmetric_echo_has_no_reference(full, share, tmp_path):
    """Rows that are missing on one side: every column was measured, but no image in full."""
    echo = full.copy()
    echo[round(share * SHAPE[0]) :] = 0
    for source in (Scan.of(echo).source, recon.read(npy(tmp_path / "echo", echo)).source):
        assert source.mask.all()
        assert said(source, "rows", "asymmetric echo")
    assert recon.reconstruct(echo, method="zero-filled").reference is None


def test_the_middle_lines_alone_with_the_mask_that_took_them_have_no_reference(full):
    """Zero-padding and a low-pass scan look alike; who hands the mask over knows."""
    mask = np.zeros(SHAPE[1], bool)
    mask[16:32] = True
    assert recon.reconstruct(full * mask, mask=mask, method="zero-filled").reference is None
    padded = recon.reconstruct(full * mask, method="zero-filled")
    assert padded.reference is not None
    assert said(padded.source, "zero-padding")


def test_a_mask_for_fully_sampled_data_undersamples_them(full):
    result = recon.reconstruct(full, mask=lines(), method="zero-filled")
    assert 0 < result.metrics["ssim"] < 1
    everything = recon.reconstruct(full, mask=np.ones(SHAPE[1]), method="zero-filled")
    assert everything.metrics["ssim"] == 1


def test_rows_as_phase_encode_lines_are_looked_at_as_rows(full):
    mask = lines()
    result = recon.reconstruct((full * mask).T, phase_encode="rows", method="zero-filled")
    assert result.reference is None
    np.testing.assert_array_equal(result.line_mask, mask)
    assert result.zero_filled.shape == SHAPE[::-1]
    np.testing.assert_allclose(
        result.zero_filled.T, recon.reconstruct(full * mask, method="zero-filled").zero_filled
    )
    with pytest.raises(InputError, match="Rows of this k-space are missing"):
        recon.reconstruct((full * mask).T)


def test_lines_are_missing_wherever_the_kspace_came_from(full):
    assert Scan.of(KSpace(full * lines())).reference is None


@pytest.mark.parametrize("kind", ["whole", "image", "corner", "real", "coils", "gaps"])
def test_the_array_and_its_file_give_the_same(full, coils, kind, tmp_path):
    array = {
        "whole": full,
        "image": ifft2c(full),
        "corner": np.fft.ifftshift(full),
        "real": np.stack([full.real, full.imag]),
        "coils": coils,
        "gaps": full * lines(),
    }[kind]
    read = recon.read(npy(tmp_path / kind, array))
    scan = Scan.of(array)
    np.testing.assert_array_equal(scan.kspace, read.data)
    np.testing.assert_array_equal(scan.source.mask, read.source.mask)
    assert scan.source.simulated == read.source.simulated
    assert scan.source.notes == read.source.notes


def test_coils_may_stand_last(coils):
    last = Scan.of(np.moveaxis(coils, 0, -1))
    np.testing.assert_array_equal(last.kspace, coils)
    assert said(last.source, "planes were read as coils")


def test_slices_are_not_taken_for_coils():
    slices = heads()[:, 0]
    with pytest.raises(InputError, match=r"6 slices; one of them"):
        recon.reconstruct(slices)
    with pytest.raises(InputError, match=r"3 slices; one of them"):
        recon.reconstruct(kspace(3, 2, 24, 32))
    assert Scan.of(slices, axes="CHW").kspace.shape == slices.shape


def test_planes_that_show_nothing_are_coils_as_documented():
    scan = Scan.of(noise((4, 32, 32)))
    assert scan.kspace.shape == (4, 32, 32)
    assert scan.source.notes == ()


def test_what_cannot_be_kspace_is_refused():
    with pytest.raises(InputError, match="real"):
        Scan.of(np.ones((32, 32)))
    with pytest.raises(InputError, match="finite"):
        Scan.of(np.full((32, 32), np.nan + 0j))
    with pytest.raises(InputError, match="zero everywhere"):
        Scan.of(np.zeros((32, 32), complex))
