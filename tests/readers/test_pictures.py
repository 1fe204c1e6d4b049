"""Pictures become simulated k-space."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from recon.fourier import fft2c, ifft2c
from recon.readers import describe, read
from tests.helpers.files import anatomy, said, write_mat, write_mat73, write_picture

GREY = np.abs(anatomy((40, 30)) * 90).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("a.png", GREY),
        ("a.png", GREY.astype(np.uint16) * 257),
        ("a.tif", GREY),
        ("a.tif", GREY.astype(np.uint16) * 257),
        ("a.tif", GREY.astype(np.int32) * 70000),
        ("a.tiff", GREY.astype(np.float32) / 7),
    ],
    ids=["png8", "png16", "tif8", "tif16", "tif32", "tif-float"],
)
def test_the_magnitude_of_simulated_kspace_is_the_picture(tmp_path, name, array):
    slice_ = read(write_picture(tmp_path / name, array))
    image = np.abs(ifft2c(np.asarray(slice_)))
    np.testing.assert_allclose(image, array, atol=2e-6 * float(array.max()))
    assert slice_.source.simulated
    assert said(slice_.source, "simulated")
    np.testing.assert_array_equal(slice_, read(tmp_path / name))


def test_jpeg_is_read_as_a_picture(tmp_path):
    path = write_picture(tmp_path / "a.jpg", GREY, quality=95)
    image = np.abs(ifft2c(np.asarray(read(path))))
    assert np.abs(image - GREY).mean() < 4


def test_colour_is_weighted_and_alpha_dropped(tmp_path):
    colours = np.zeros((16, 64, 4), np.uint8)
    colours[..., :3] = np.repeat(
        np.array([[200, 0, 0], [0, 200, 0], [0, 0, 200], [200, 200, 200]], np.uint8), 16, axis=0
    )
    colours[..., 3] = np.arange(64)
    image = np.abs(ifft2c(np.asarray(read(write_picture(tmp_path / "a.png", colours)))))
    expected = np.repeat(200 * np.array([0.299, 0.587, 0.114, 1]), 16)
    np.testing.assert_allclose(image[3], expected, atol=0.01)


def test_frames_of_a_tiff_are_slices(tmp_path):
    frames = [Image.fromarray(GREY // (n + 1)) for n in range(4)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    assert describe(tmp_path / "a.tif").slices == 4
    for number in (0, 3, 1):
        image = np.abs(ifft2c(np.asarray(read(tmp_path / "a.tif", slice=number))))
        np.testing.assert_allclose(image, GREY // (number + 1), atol=1e-3)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_exif_orientation_is_honoured(tmp_path, name):
    exif = Image.Exif()
    exif[0x0112] = 6
    write_picture(tmp_path / "plain.png", np.rot90(GREY, -1))
    path = write_picture(
        tmp_path / name, GREY, exif=exif, **({"quality": 95} if "j" in name else {})
    )
    expected = np.abs(ifft2c(np.asarray(read(tmp_path / "plain.png"))))
    image = np.abs(ifft2c(np.asarray(read(path))))
    found = describe(path)
    assert (found.height, found.width) == image.shape == expected.shape == (30, 40)
    assert np.abs(image - expected).mean() < 4


def test_large_pictures_are_reduced_by_areas(tmp_path):
    large = np.kron(GREY[:20, :16], np.ones((40, 40), np.uint8))
    path = write_picture(tmp_path / "a.png", large)
    slice_ = read(path)
    assert slice_.shape == (320, 256) == (describe(path).height, describe(path).width)
    np.testing.assert_allclose(
        np.abs(ifft2c(np.asarray(slice_)))[8::16, 8::16], GREY[:20, :16], atol=1e-3
    )
    assert said(slice_.source, "reduced from 800 x 640 to 320 x 256")


@pytest.mark.parametrize("write", [write_mat, write_mat73])
def test_matlab_images(tmp_path, write):
    image = np.abs(anatomy((40, 30)))
    slice_ = read(write(tmp_path / "a.mat", Img=image))
    np.testing.assert_allclose(np.abs(ifft2c(np.asarray(slice_))), image, atol=1e-5)
    assert slice_.source.simulated
    slice_ = read(write(tmp_path / "b.mat", Img=anatomy((40, 30))))
    np.testing.assert_allclose(slice_, fft2c(anatomy((40, 30))), atol=1e-5)
    assert not slice_.source.simulated
    assert said(slice_.source, "complex image")
