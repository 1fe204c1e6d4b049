"""The Fourier pair against analytic transforms, theorems and fastMRI."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recon.fourier import center_crop, fft1c, fft2c, ifft1c, ifft2c, magnitude, rss
from tests.helpers.noise import noise

SHAPES = [(8, 8), (7, 7), (7, 10), (12, 9), (1, 5), (5, 1), (320, 368)]


@pytest.fixture(params=["numpy", "torch"])
def backend(request):
    """`array -> array of this backend` and back."""
    if request.param == "numpy":
        return lambda a: a, lambda a: a
    return torch.from_numpy, lambda a: a.numpy()


@pytest.mark.parametrize("shape", [(64, 64), (65, 63), (64, 81)])
@pytest.mark.parametrize("center", [(0.0, 0.0), (3.0, -4.5)])
def test_gaussian_has_its_analytic_transform(shape, center):
    """exp(-r^2 / 2 s^2) has the transform 2 pi s^2 exp(-2 pi^2 s^2 k^2) and a shift phase."""
    sigma = 3.5
    y = np.arange(shape[0])[:, None] - shape[0] // 2
    x = np.arange(shape[1])[None, :] - shape[1] // 2
    image = np.exp(-((y - center[0]) ** 2 + (x - center[1]) ** 2) / (2 * sigma**2))
    ky, kx = y / shape[0], x / shape[1]
    exact = (
        2
        * np.pi
        * sigma**2
        / np.sqrt(shape[0] * shape[1])
        * np.exp(-2 * np.pi**2 * sigma**2 * (ky**2 + kx**2))
        * np.exp(-2j * np.pi * (ky * center[0] + kx * center[1]))
    )
    # what is left is the tail of the Gaussian beyond the field of view, exp(-27^2 / 2 s^2)
    np.testing.assert_allclose(fft2c(image), exact, atol=1e-11)
    np.testing.assert_allclose(ifft2c(exact), image, atol=1e-11)


@pytest.mark.parametrize("shape", [(5, 5), (6, 4), (7, 10), (1, 5)])
def test_equals_the_dft_sum(shape):
    """K[u] = sum over m of x[m] exp(-2 pi i (u - c)(m - c) / n) / sqrt(n), c = n // 2."""

    def matrix(n):
        index = np.arange(n) - n // 2
        return np.exp(-2j * np.pi * np.outer(index, index) / n) / np.sqrt(n)

    x = noise(shape, dtype=np.complex128)
    np.testing.assert_allclose(fft2c(x), matrix(shape[0]) @ x @ matrix(shape[1]).T, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_one_axis_after_the_other_is_both(shape, backend):
    there, back = backend
    x = noise((2, *shape))
    one = fft1c(fft1c(there(x), -1), -2)
    np.testing.assert_allclose(back(one), back(fft2c(there(x))), atol=1e-5)
    np.testing.assert_allclose(back(ifft1c(ifft1c(one, -2), -1)), x, atol=1e-5)
    assert back(one).dtype == np.complex64


@pytest.mark.parametrize("shape", SHAPES)
def test_round_trip_parseval_and_dtype(shape, backend):
    there, back = backend
    x = noise((2, *shape))
    k = back(fft2c(there(x)))
    assert k.dtype == np.complex64
    np.testing.assert_allclose(back(ifft2c(there(k))), x, atol=1e-5)
    np.testing.assert_allclose(back(fft2c(ifft2c(there(x)))), x, atol=1e-5)
    assert np.linalg.norm(k) == pytest.approx(np.linalg.norm(x), rel=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_inverse_is_the_adjoint(shape, backend):
    there, back = backend
    x, y = noise(shape, 1), noise(shape, 2)
    left = np.vdot(y, back(fft2c(there(x))))  # <A x, y>
    right = np.vdot(back(ifft2c(there(y))), x)  # <x, A^H y>
    assert abs(left - right) < 1e-5 * np.linalg.norm(x) * np.linalg.norm(y)


@pytest.mark.parametrize("shape", SHAPES)
def test_numpy_and_torch_agree(shape):
    x = noise((3, *shape))
    for function in (fft2c, ifft2c, magnitude, rss):
        ours = function(torch.from_numpy(x))
        assert isinstance(ours, torch.Tensor)
        np.testing.assert_allclose(ours.numpy(), function(x), rtol=1e-4, atol=1e-5)
        assert ours.numpy().dtype == function(x).dtype


def test_torch_transform_has_the_adjoint_as_gradient():
    """d/dx of |A x - y|^2 / 2 is A^H (A x - y); training relies on it."""
    x = torch.from_numpy(noise((9, 6), dtype=np.complex128)).requires_grad_()
    y = torch.from_numpy(noise((9, 6), 1, dtype=np.complex128))
    (0.5 * (fft2c(x) - y).abs().pow(2).sum()).backward()
    torch.testing.assert_close(x.grad, ifft2c(fft2c(x.detach()) - y))


@pytest.mark.parametrize("shape", SHAPES)
def test_zero_frequency_sits_at_half(shape):
    k = fft2c(np.ones(shape, np.complex64))
    peak = np.zeros(shape)
    peak[shape[0] // 2, shape[1] // 2] = np.sqrt(shape[0] * shape[1])
    np.testing.assert_allclose(k, peak, atol=1e-4)


def test_real_images_are_accepted():
    assert fft2c(np.ones((4, 6), np.float32)).dtype == np.complex64
    assert fft2c(torch.ones(4, 6)).dtype == torch.complex64


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_fastmri(shape):
    fastmri = pytest.importorskip("fastmri", reason="fastmri is not installed")
    x = noise((2, *shape))
    pairs = torch.view_as_real(torch.from_numpy(x))
    for ours, theirs in ((fft2c, fastmri.fft2c), (ifft2c, fastmri.ifft2c)):
        expected = torch.view_as_complex(theirs(pairs)).numpy()
        np.testing.assert_allclose(ours(x), expected, atol=2e-6 * np.abs(expected).max())
    expected = fastmri.rss(fastmri.complex_abs(pairs), dim=0).numpy()
    np.testing.assert_allclose(rss(x), expected, rtol=1e-5)


@pytest.mark.parametrize("size", [(320, 320), (5, 4), (4, 5), (7, 10), (6, 9)])
@pytest.mark.parametrize("shape", [(7, 10), (8, 11), (640, 368), (321, 333)])
def test_crop_equals_fastmri(shape, size, backend):
    transforms = pytest.importorskip("fastmri.data.transforms", reason="fastmri is not installed")
    there, back = backend
    image = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    cropped = back(center_crop(there(image), size))
    fits = (min(shape[0], size[0]), min(shape[1], size[1]))  # fastMRI refuses larger sizes
    np.testing.assert_array_equal(cropped, transforms.center_crop(image, fits))


def test_crop_keeps_the_zero_frequency_centred():
    """Where both sizes are even or both odd, index n // 2 stays index n // 2."""
    for n, m in ((640, 320), (9, 5), (8, 8)):
        image = np.zeros((n, n))
        image[n // 2, n // 2] = 1
        assert center_crop(image, (m, m))[m // 2, m // 2] == 1


def test_magnitude_combines_coils():
    image = np.abs(noise((6, 8)))
    coils = np.array([0.6, 0.8j], np.complex64)[:, None, None]  # |0.6|^2 + |0.8|^2 = 1
    np.testing.assert_allclose(magnitude(fft2c(coils * image)), image, atol=1e-6)
    np.testing.assert_allclose(magnitude(fft2c(-image)), image, atol=1e-6)
