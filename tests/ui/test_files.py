"""How large pictures of a file are on the page, and the files that the page gives."""

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
import pydicom
import pytest

import recon
from recon import phantom
from recon.export import EXPORTS
from recon.fourier import ifft2c
from tests.helpers.files import header, kspace, write_h5
from tests.helpers.page import after, pixels, upload


@pytest.mark.parametrize(
    ("shape", "more", "cut"),
    [
        ((384, 384), {"ismrmrd_header": header(320, 320)}, (320, 320)),
        ((448, 384), {"reconstruction_rss": np.ones((1, 384, 384), np.float32)}, (384, 384)),
        ((96, 81), {"ismrmrd_header": header(47, 60)}, (47, 60)),
    ],
)
def test_pictures_are_cut_as_the_file_asks_or_left_whole(page, tmp_path, shape, more, cut):
    path = write_h5(tmp_path / "scan.h5", kspace=phantom.kspace(shape, seed=3)[None], **more)
    after(page, lambda: upload(page, path))
    whole = np.abs(ifft2c(phantom.kspace(shape, seed=3)))
    top, left = ((large - small) // 2 for large, small in zip(shape, cut, strict=True))
    middle = whole[top : top + cut[0], left : left + cut[1]]
    page.locator("#advanced button").first.click()
    option = page.locator("#crop input")
    assert option.is_checked()
    for expected, change in ((middle, option.uncheck), (whole, option.check), (middle, None)):
        for name in ("reference", "zero_filled", "reconstruction"):
            assert pixels(page, name).shape == expected.shape
        shown = pixels(page, "reference")
        np.testing.assert_allclose(shown, expected, atol=1e-5 * max(1, whole.max()))
        size = f"{expected.shape[0]} by {expected.shape[1]} pixels"
        assert page.locator(f"#panels canvas[aria-label*='{size}']").count() >= 2
        if change is not None:
            after(page, change)


def test_what_has_no_edge_to_cut_is_whole_and_offers_no_option(page, tmp_path):
    np.save(tmp_path / "scan.npy", phantom.kspace((384, 384), seed=3))
    after(page, lambda: upload(page, tmp_path / "scan.npy"))
    assert pixels(page, "reference").shape == (384, 384)
    page.locator("#advanced button").first.click()
    page.get_by_label("rows", exact=True).wait_for()  # beside which it would be
    assert page.locator("#crop").count() == 0


def read_back(kind: str, content: bytes, folder: Path) -> tuple[np.ndarray, float]:
    """The picture in a file, and how far its own precision may be off, by the format's library."""
    if kind == "h5":
        with h5py.File(io.BytesIO(content)) as file:
            return file["reconstruction"][0], 0
    if kind == "npy":
        return np.load(io.BytesIO(content))[0], 0
    if kind == "nii":
        (folder / "a.nii").write_bytes(content)
        volume: Any = nibabel.load(folder / "a.nii")
        return volume.get_fdata(dtype=np.float32)[..., 0].T, 0
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        (name,) = pack.namelist()
        one = pydicom.dcmread(io.BytesIO(pack.read(name)))
    slope = float(one.RescaleSlope)
    return one.pixel_array * slope, slope / 2


def test_downloads_hold_the_reconstruction_that_is_shown(page, tmp_path):
    stack = kspace(3, 4, 96, 81)
    path = write_h5(tmp_path / "scan.h5", kspace=stack, ismrmrd_header=header(47, 60))
    after(page, lambda: upload(page, path))
    after(page, lambda: page.locator("#acceleration").get_by_label("8x").click())
    after(page, lambda: page.locator("#new-mask").click())
    expected = recon.reconstruct(recon.read(path), 8, 1).image
    assert expected.shape == (47, 60)
    largest = expected.max()
    shown = pixels(page, "reconstruction")
    np.testing.assert_allclose(shown, expected, atol=2e-5 * largest)
    for kind, one in EXPORTS.items():
        page.locator("#download-as input").click()
        page.get_by_role("option", name=one.label, exact=True).click()
        with page.expect_download(timeout=30_000) as download:
            page.locator("#download").click()
        suffix = ".zip" if kind == "dicom" else one.suffix
        assert download.value.suggested_filename == f"reconstruction{suffix}"
        found, precision = read_back(kind, download.value.path().read_bytes(), tmp_path)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * largest + precision)
