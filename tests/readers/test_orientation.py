"""Where pictures of raw data lie: the affine says of a point what the signal equation says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
import pytest

import recon
from recon import export
from tests.helpers import scans

OBLIQUE = np.linalg.qr(np.array([[0.9, 0.2, -0.3], [-0.1, 0.8, 0.5], [0.4, -0.4, 0.8]]))[0].T
AXES = {
    "axial": np.eye(3),
    "coronal": np.array([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]]),
    "oblique": OBLIQUE,
    "left-handed": OBLIQUE * [[1], [1], [-1]],
}
CENTRE = np.array([12.5, -31.0, 47.25])
# Of the helper's header: fields of view in mm, of which the readout's is twice that of the picture.
READOUT, LINES, THICK = 600, 300, 5
TO_RAS = np.array([-1.0, -1.0, 1.0])


def wave(count: int, place: float, field: float) -> np.ndarray:
    """The signal of a point, `place` mm from the middle, along one axis of k-space."""
    k = np.arange(count) - count // 2
    return np.exp(-2j * np.pi * k * place / field)


def point(places: tuple[float, float], shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """K-space (1, H, W) of a point over faint noise, with a phase as measured objects have."""
    noise = np.random.default_rng(seed).standard_normal((*shape, 2)) @ (1e-3, 1e-3j)
    signal = np.exp(0.7j) * np.outer(
        wave(shape[0], places[0], READOUT), wave(shape[1], places[1], LINES)
    )
    return (signal + noise)[None]


def saved(path: Path, numbers: range, **options: Any) -> Any:
    """The NIfTI file of some slices."""
    with export.opened(["nii"], path.parent, "out", len(numbers)) as take:
        for number in numbers:
            take(recon.reconstruct(recon.read(path, slice=number), 1, **options))
    return nibabel.load(path.parent / "out.nii")


def brightest(volume: Any) -> np.ndarray:
    values = volume.get_fdata()
    at = np.unravel_index(values.argmax(), values.shape)
    return volume.affine @ (*at, 1)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("shape", [(48, 40), (50, 33), (66, 31)])
@pytest.mark.parametrize(("field", "crop"), [(300, True), (200, True), (190, False)])
def test_mrd_point_is_where_the_signal_says(tmp_path, axes, shape, field, crop):
    """Several oblique slices with gaps, odd sizes, oversampled readouts, cut pictures."""
    directions, gap, count, there = AXES[axes], 6.5, 4, 2
    centres = CENTRE + np.outer(np.arange(count) * gap, directions[2])
    row, column = 5 * READOUT / shape[0], -7 * LINES / shape[1]
    stack = np.stack([point((row, column), shape, n) * (10 if n == there else 1) for n in range(4)])
    path = scans.mrd(tmp_path / "a.h5", stack, field=field, centres=centres, directions=directions)
    volume = saved(path, range(1, count), method="zero-filled", crop=crop)
    expected = centres[there] + row * directions[0] + column * directions[1]
    np.testing.assert_allclose(brightest(volume)[:3], expected * TO_RAS, atol=1e-3)
    assert volume.header["sform_code"] == 1
    # Voxels are as large as the header says: columns along lines, rows along the readout.
    sizes = (LINES / shape[1], READOUT / shape[0], gap)
    np.testing.assert_allclose(volume.header.get_zooms(), sizes, rtol=1e-5)


@pytest.mark.parametrize("depth", [5, 8])
def test_mrd_point_of_a_slab_is_where_the_signal_says(tmp_path, depth):
    shape, row, column, deep = (50, 33), 4 * READOUT / 50, 6 * LINES / 33, -2 * THICK
    along = wave(depth, deep, THICK * depth)
    stack = np.stack([point((row, column), shape, n) * one for n, one in enumerate(along)])
    path = scans.mrd(
        tmp_path / "a.h5", stack, partitions=depth, centres=CENTRE[None], directions=OBLIQUE
    )
    volume = saved(path, range(depth), method="zero-filled")
    expected = CENTRE + np.array([row, column, deep]) @ OBLIQUE
    np.testing.assert_allclose(brightest(volume)[:3], expected * TO_RAS, atol=1e-3)


def test_mrd_single_slice_has_the_thickness_of_its_header(tmp_path):
    path = scans.mrd(
        tmp_path / "a.h5", point((0, 0), (48, 40))[None], centres=CENTRE[None], directions=OBLIQUE
    )
    found = recon.read(path).source
    np.testing.assert_allclose(found.affine[:3, 2], THICK * OBLIQUE[2] * TO_RAS, atol=1e-5)
    assert found.spacing == pytest.approx((READOUT / 48, LINES / 40, THICK))


def _shuffled(heads: np.ndarray) -> None:
    heads["position"] = CENTRE + np.outer([0, 2, 1, 3], OBLIQUE[2])[heads["idx"]["slice"]] * 5


def _crossing(heads: np.ndarray) -> None:
    heads["read_dir"][heads["idx"]["slice"] == 1] = OBLIQUE[2]
    heads["slice_dir"][heads["idx"]["slice"] == 1] = OBLIQUE[0]


def _moving(heads: np.ndarray) -> None:
    heads["position"][7] += 3


def _in_one_place(heads: np.ndarray) -> None:
    heads["position"] = CENTRE


def _skew(heads: np.ndarray) -> None:
    heads["phase_dir"] = heads["read_dir"]


def _longer(heads: np.ndarray) -> None:
    heads["read_dir"] *= 2


def _nowhere(heads: np.ndarray) -> None:
    heads["position"][:, 1] = np.nan


def _untold(heads: np.ndarray) -> None:
    for name in ("read_dir", "phase_dir", "slice_dir"):
        heads[name] = 0


@pytest.mark.parametrize(
    "change",
    [_shuffled, _crossing, _moving, _in_one_place, _skew, _longer, _nowhere, _untold],
)
def test_mrd_heads_that_make_no_volume_give_no_affine(tmp_path, change):
    """Sizes of voxels are known still; a wrong place would be worse than none."""
    stack = np.stack([point((25, 15), (48, 40), n) for n in range(4)])
    centres = CENTRE + np.outer(np.arange(4) * 5, OBLIQUE[2])
    path = scans.mrd(tmp_path / "a.h5", stack, centres=centres, directions=OBLIQUE)
    assert recon.read(path).source.affine is not None
    with h5py.File(path, "r+") as file:
        table = file["dataset/data"][()]
        change(table["head"])
        file["dataset/data"][()] = table
    source = recon.read(path).source
    assert source.affine is None
    assert source.spacing == pytest.approx((READOUT / 48, LINES / 40, THICK))


def _volume_of(path: Path, slices: int) -> Any:
    return saved(path, range(slices), method="zero-filled")


def test_mrd_repetitions_lie_where_the_first_one_did(tmp_path):
    stack = np.stack([point((25, 15), (48, 40), n) for n in range(2)])
    centres = CENTRE + np.outer(np.arange(2) * 5, OBLIQUE[2])
    path = scans.mrd(tmp_path / "a.h5", stack, repetitions=2, centres=centres, directions=OBLIQUE)
    first, again = (recon.read(path, slice=n).source for n in (1, 3))
    for place in ((0, 0), (24, 20)):
        np.testing.assert_allclose(
            again.affine @ (*place, 3, 1), first.affine @ (*place, 1, 1), atol=1e-6
        )
    # One affine cannot say so of both in one file.
    assert _volume_of(path, 4).header["sform_code"] == 0
    assert _volume_of(path, 2).header["sform_code"] == 1


def test_nifti_frames_lie_where_the_first_one_did(tmp_path):
    grey = np.abs(np.random.default_rng(0).standard_normal((24, 20, 3, 2))).astype(np.float32)
    affine = np.diag([-2.0, -3.0, 4.0, 1.0])
    affine[:3, 3] = CENTRE
    path = scans.nifti(tmp_path / "a.nii", grey, affine)
    first, again = (recon.read(path, slice=n).source for n in (1, 4))
    np.testing.assert_allclose(again.affine @ (5, 6, 4, 1), first.affine @ (5, 6, 1, 1))
    assert again.spacing == first.spacing
    volume = _volume_of(path, 6)
    assert volume.header["sform_code"] == 0
    np.testing.assert_allclose(volume.header.get_zooms(), (2, 3, 4))


def test_dicom_echoes_lie_where_the_first_one_did(tmp_path):
    rng = np.random.default_rng(0)
    files = {
        f"{echo}-{n}.dcm": scans.dicom(
            rng.integers(0, 900, (24, 20)).astype(np.uint16), n, (0, 1, 6.5 * n), echo=echo
        )
        for echo in (10, 20)
        for n in range(3)
    }
    path = scans.zipped(tmp_path / "a.zip", files)
    first, again = (recon.read(path, slice=n).source for n in (2, 5))
    for found, number in ((first, 2), (again, 5)):
        assert found.spacing == pytest.approx((1.5, 2.5, 6.5))
        np.testing.assert_allclose(found.affine @ (0, 0, number, 1), (0, -1, 13, 1))
    assert _volume_of(path, 6).header["sform_code"] == 0
    assert _volume_of(path, 3).header["sform_code"] == 1


def test_slices_of_several_files_that_do_not_follow_each_other_get_no_affine(tmp_path):
    grey = np.abs(np.random.default_rng(0).standard_normal((24, 20, 1))).astype(np.float32)
    results = []
    for n, height in enumerate((0, 10, 15)):
        affine = np.diag([-2.0, -3.0, 4.0, 1.0])
        affine[2, 3] = height
        path = scans.nifti(tmp_path / f"{n}.nii", grey, affine)
        results.append(recon.reconstruct(recon.read(path), 1, method="zero-filled"))
    with export.opened(["nii"], tmp_path, "out", 3) as take:
        for result in results:
            take(result)
    volume: Any = nibabel.load(tmp_path / "out.nii")
    assert volume.header["sform_code"] == volume.header["qform_code"] == 0
    np.testing.assert_array_equal(
        volume.get_fdata(dtype=np.float32).T, [one.image for one in results]
    )
