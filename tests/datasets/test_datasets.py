"""Training data: where they come from, how they are split, and what is drawn from them."""

import functools
import hashlib
import http.server
import io
import tarfile
import threading
from pathlib import Path

import h5py
import numpy as np
import pydicom
import pytest

from recon import datasets
from recon.datasets import open_images
from recon.datasets.open_images import PublicSource
from recon.errors import InputError
from recon.fourier import ifft2c
from recon.simulate import kspace_from_magnitude
from tests.helpers import data
from tests.helpers.data import blobs


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return data.open_images(tmp_path_factory.mktemp("data"))


def test_no_subject_is_in_two_splits():
    subjects = [s for split in datasets.SPLITS.values() for s in split]
    assert len(subjects) == len(set(subjects))


def test_volumes_keep_orientation_and_lose_empty_slices(folder):
    training = {v.subject: v.slices for v in datasets.load(folder, "train")}
    assert training.keys() == {"open_ms_01", "sag-anon"}
    assert training["open_ms_01"].shape == (3, 180, 164)
    np.testing.assert_array_equal(
        training["sag-anon"][1], pydicom.dcmread(folder / "SAG-anon/0001.dcm").pixel_array
    )
    assert [v.subject for v in datasets.load(folder, "validation")] == ["open_ms_09"]
    assert [v.subject for v in datasets.load(folder, "test")] == ["open_ms_19"]


@pytest.mark.parametrize("dataset", datasets.DATASETS)
def test_empty_folder_gets_a_sentence(tmp_path, dataset):
    with pytest.raises(InputError, match="nothing of the train split"):
        datasets.load(tmp_path, "train", dataset)


@pytest.mark.parametrize("coils", [0, 3])
def test_fastmri_is_split_by_file_and_loses_its_noisy_start(tmp_path, coils):
    data.fastmri(tmp_path, coils)
    dataset = "fastmri-multicoil" if coils else "fastmri"
    names = {
        split: [v.name for v in datasets.load(tmp_path, split, dataset)]
        for split in ("train", "validation", "test")
    }
    assert names == {
        "train": ["filetrain1", "filetrain2"],
        "validation": ["filetrain0"],
        "test": ["fileval0"],
    }
    volume = datasets.load(tmp_path, "test", dataset)[0]
    assert [s.index for s in volume.slices] == [2, 3, 4, 5]
    drawn = datasets.draw(volume.slices, np.random.default_rng(0), index=1)
    assert drawn.shape == ((3, 200, 168) if coils else (200, 168))
    scan, sampling = datasets.fixed_scan(volume, 1, 4, 0.005)
    np.testing.assert_array_equal(scan.kspace, drawn)  # measured, so no noise is added
    assert sampling.mask.shape == (168,)


def test_broken_fastmri_file_is_named(tmp_path):
    data.fastmri(tmp_path)
    (tmp_path / "singlecoil_train/filetrain1.h5").write_bytes(b"not HDF5")
    with pytest.raises(InputError, match=r"filetrain1\.h5 cannot be read"):
        datasets.load(tmp_path, "train", "fastmri")


def test_blank_slices_are_left_out_and_others_are_named(tmp_path):
    data.fastmri(tmp_path)
    with h5py.File(tmp_path / "singlecoil_val/fileval0.h5", "r+") as file:
        for number in (0, 3, 5):
            file["kspace"][number] = 0
        file["kspace"][4, 100] = 0  # a row alone is no slice
    (volume,) = datasets.load(tmp_path, "test", "fastmri")
    assert [one.index for one in volume.slices] == [2, 4]
    with h5py.File(tmp_path / "singlecoil_val/fileval0.h5", "r+") as file:
        file["kspace"][2] = np.nan
    with pytest.raises(InputError, match=r"Slice 2 of fileval0\.h5 cannot be read: .*not finite"):
        datasets.load(tmp_path, "test", "fastmri")
    with h5py.File(tmp_path / "singlecoil_val/fileval0.h5", "r+") as file:
        file["kspace"][:] = 0
    with pytest.raises(InputError, match=r"fileval0\.h5 is zero everywhere"):
        datasets.load(tmp_path, "test", "fastmri")


def test_one_training_file_of_fastmri_is_not_enough(tmp_path):
    data.fastmri(tmp_path)
    for number in (1, 2):
        (tmp_path / f"singlecoil_train/filetrain{number}.h5").unlink()
    with pytest.raises(InputError, match="one in 20 is kept for validation"):
        datasets.load(tmp_path, "train", "fastmri")


@pytest.mark.parametrize("dataset", ["open", "fastmri"])
def test_subjects_are_those_that_are_loaded(folder, tmp_path, dataset):
    place = folder if dataset == "open" else data.fastmri(tmp_path)
    for split in datasets.SPLITS:
        loaded = {volume.subject for volume in datasets.load(place, split, dataset)}
        named = datasets.subjects(place, split, dataset)
        assert set(named) == loaded
        if dataset == "open":
            assert named == [one for one in datasets.SPLITS[split] if one in loaded]


def test_scans_are_normalised_by_the_zero_filled_maximum():
    image = blobs(np.random.default_rng(1), (64, 400)).astype(np.float32)
    kspace = kspace_from_magnitude(image, np.random.default_rng(2))
    measurement, reference = datasets.undersample(kspace, 4, np.random.default_rng(3))
    assert measurement.zero_filled.shape == reference.shape == (64, 320)
    assert measurement.zero_filled.max() == pytest.approx(1)
    assert not measurement.kspace[:, ~measurement.mask].any()
    expected = image[:, 40:360]
    np.testing.assert_allclose(reference * expected.max() / reference.max(), expected, atol=1e-2)


def test_draws_are_decided_by_their_generator():
    images = [blobs(np.random.default_rng(i), (64, 72)).astype(np.float32) for i in range(4)]
    one, two, other = (datasets.draw(images, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert one.shape != other.shape or np.abs(one - other).max() > 0.1 * np.abs(one).max()


def test_half_of_the_draws_have_a_lower_resolution():
    images = [blobs(np.random.default_rng(0), (64, 72)).astype(np.float32)]
    rng = np.random.default_rng(0)
    shapes = [datasets.draw(images, rng, augment=False, coarsest=0.4).shape for _ in range(200)]
    whole = shapes.count((64, 72))
    assert 70 < whole < 130
    assert min(shapes)[0] >= 26
    assert min(width for _, width in shapes) >= 29
    assert len(set(shapes)) > 50


def test_a_patch_is_the_same_square_of_both_images():
    image = np.arange(64 * 72, dtype=np.float32).reshape(64, 72)
    sample = datasets.undersample(
        kspace_from_magnitude(image, np.random.default_rng(0)), 2, np.random.default_rng(0)
    )
    zero_filled, reference = datasets.patch(sample, 48, np.random.default_rng(4))
    rows, columns = np.nonzero(np.isclose(sample[1], reference[0, 0], rtol=1e-6))
    found = [
        (r, c)
        for r, c in zip(rows, columns, strict=True)
        if np.array_equal(sample[1][r : r + 48, c : c + 48], reference)
    ]
    assert len(found) == 1
    (top, left) = found[0]
    expected = sample[0].zero_filled[top : top + 48, left : left + 48]
    np.testing.assert_array_equal(zero_filled, expected)


def test_patch_larger_than_an_image_gets_a_sentence():
    rng = np.random.default_rng(0)
    sample = datasets.undersample(kspace_from_magnitude(np.ones((40, 64)), rng), 4, rng)
    with pytest.raises(InputError, match="at least 48"):
        datasets.patch(sample, 48, rng)


@pytest.mark.parametrize("coils", [(), (2,)])
def test_a_strip_is_a_whole_scan_in_small(coils):
    """Undersampling a band of the image equals that band of the undersampled image."""
    rng = np.random.default_rng(5)
    kspace = kspace_from_magnitude(blobs(rng, (60, 72)), rng) * np.ones((*coils, 1, 1))
    image = ifft2c(kspace)
    rows = datasets.band(kspace, 20, np.random.default_rng(7))
    band = ifft2c(datasets.strip(kspace, rows))
    assert band.shape == (*coils, 20, 72)
    np.testing.assert_allclose(image[..., rows, :], band, atol=1e-2)
    mask = rng.random(72) < 0.3
    small = ifft2c(datasets.strip(kspace, rows) * mask)
    np.testing.assert_allclose(small, ifft2c(kspace * mask)[..., rows, :], atol=1e-2)
    assert datasets.strip(kspace, datasets.band(kspace, 1000, rng)).shape == kspace.shape


def test_strips_lie_on_the_object():
    image = np.zeros((200, 64), np.float32)
    image[80:120, 20:40] = 1
    kspace = kspace_from_magnitude(image, np.random.default_rng(0))
    for seed in range(20):
        rows = datasets.band(kspace, 32, np.random.default_rng(seed))
        strip = ifft2c(datasets.strip(kspace, rows))
        assert np.abs(strip[16]).max() > 0.5


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A web server with two sources: three files, and two in an archive; and what it was asked."""
    root, asked = tmp_path / "server", []
    contents = {f"brain/{i}.dcm": f"slice {i}".encode() for i in range(3)}
    contents |= {f"knee/images/{i}.dcm": f"knee {i}".encode() for i in range(2)}
    (root / "brain").mkdir(parents=True)
    for name in list(contents)[:3]:
        (root / name).write_bytes(contents[name])
    with tarfile.open(root / "knee.tar.gz", "w:gz") as tar:
        for name in list(contents)[3:]:
            member = tarfile.TarInfo("knee-1.0/src/" + name.removeprefix("knee/"))
            member.size = len(contents[name])
            tar.addfile(member, io.BytesIO(contents[name]))
    archive = hashlib.sha256((root / "knee.tar.gz").read_bytes()).hexdigest()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=root)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(
        open_images,
        "SOURCES",
        (
            PublicSource("brain", f"{url}/brain", "CC0", "nobody"),
            PublicSource("knee", f"{url}/knee.tar.gz", "CC0", "nobody", archive=archive),
        ),
    )
    sums = tmp_path / "sums"
    sums.write_text("".join(f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in contents.items()))
    monkeypatch.setattr(open_images, "CHECKSUMS", sums)
    yield root, contents, asked
    server.shutdown()
    server.server_close()


def test_download_fetches_what_is_missing_and_goes_on_where_it_stopped(published, tmp_path):
    root, contents, asked = published
    folder = tmp_path / "data"
    good = (root / "brain/1.dcm").read_bytes()
    (root / "brain/1.dcm").write_bytes(b"something else")
    with pytest.raises(InputError, match="brain could not be downloaded"):
        open_images.fetch(folder, progress=False)
    assert (folder / "brain/0.dcm").is_file()
    assert not (folder / "brain/1.dcm").exists()  # a wrong file is not left behind

    (root / "brain/1.dcm").write_bytes(good)
    asked.clear()
    open_images.fetch(folder, progress=False)
    assert asked == ["/brain/1.dcm", "/brain/2.dcm", "/knee.tar.gz"]
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == contents

    asked.clear()
    open_images.fetch(folder, progress=False)
    assert asked == []


def test_every_training_file_has_a_checksum():
    counts = {source.folder: len(open_images.checksums(source)) for source in open_images.SOURCES}
    assert counts == {
        "open_ms_data": 26,
        "example-dicom-structural": 128,
        "SAG-anon": 96,
        "mskt": 96,
        "QMRITools": 2,
    }


def test_masks_of_training_are_of_all_families_and_reproducible():
    draw = [datasets.any_mask(96, 4, np.random.default_rng(seed)) for seed in range(60)]
    again = [datasets.any_mask(96, 4, np.random.default_rng(seed)) for seed in range(60)]
    assert all(np.array_equal(a, b) for a, b in zip(draw, again, strict=True))
    assert all(mask[48] for mask in draw)  # the middle is measured by each family
    assert len({mask.tobytes() for mask in draw}) > 40
    whole = [mask for mask in draw if len(set(np.diff(np.flatnonzero(mask)))) == 1]
    assert whole  # low-pass: neighbouring lines and no others
    one_side = [mask for mask in draw if not mask[:30].any() or not mask[-30:].any()]
    assert len(one_side) > len(whole)  # and partial Fourier


def test_a_magnitude_image_is_seen_by_as_many_coils_as_asked():
    images = [blobs(np.random.default_rng(0), (64, 72)).astype(np.float32)]
    kspace = datasets.draw(images, np.random.default_rng(1), augment=False, noise=0, coils=5)
    assert kspace.shape == (5, 64, 72)
    assert kspace.dtype == np.complex64
    seen = np.linalg.norm(ifft2c(kspace), axis=0)
    assert seen[images[0] == 0].max() < 1e-4 * seen.max()
    maps = np.abs(ifft2c(kspace))[:, images[0] > 0] / images[0][images[0] > 0]
    assert np.ptp(maps, axis=0).max() > 0.1  # coils see different things


def test_echoes_miss_the_middle_by_as_much_as_allowed():
    images = [np.ones((48, 48), np.float32)]

    def furthest(tilt):
        places = []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            kspace = np.abs(datasets.draw(images, rng, augment=False, noise=0, tilt=tilt))
            lines = (kspace**2).sum(0)
            places.append(abs((lines * (np.arange(48) - 24)).sum() / lines.sum()))
        return max(places)

    assert furthest(1.0) < 2.5 < furthest(5.0)
