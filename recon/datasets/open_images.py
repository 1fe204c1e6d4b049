"""The open training images: where they are published, and how they are read.

They are magnitude images, so complex k-space has to be simulated. A folder holds them in the
layout of their public sources:

==============================  ================================  =======
folder                          content                           licence
==============================  ================================  =======
``open_ms_data/``               brain, 7 patients, T1w T2w FLAIR  CC-BY
``example-dicom-structural/``   brain, 1 subject, T1w             PDDL
``SAG-anon/``                   head, 1 subject, sagittal T1w     MIT
``mskt/``                       knee, 1 subject, multi-echo       MIT
``QMRITools/``                  legs, 1 subject                   BSD-3
==============================  ================================  =======
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import nibabel
import numpy as np
import pooch
import pydicom

from recon.datasets.volumes import Volume
from recon.errors import InputError

CHECKSUMS = Path(__file__).parent / "open_images.sha256"


@dataclass(frozen=True)
class PublicSource:
    """A published data set.

    Attributes
    ----------
    folder
        Where its files lie in a data folder.
    url
        Address at a fixed revision: of a folder, to which a file's path is added, or of an
        archive.
    licence, citation
        What its authors ask for.
    archive
        SHA-256 of the archive; None where files are fetched one by one.
    """

    folder: str
    url: str
    licence: str
    citation: str
    archive: str | None = None


GITHUB = "https://raw.githubusercontent.com"
SOURCES = (
    PublicSource(
        "open_ms_data",
        f"{GITHUB}/muschellij2/open_ms_data/65704901f60650824565aa5a4818611aa89716f4",
        "CC-BY",
        "Lesjak, Pernuš, Likar, Špiclin, Neuroinformatics (2016)",
    ),
    PublicSource(
        "example-dicom-structural",
        f"{GITHUB}/datalad/example-dicom-structural/f077bcc8d502ce8155507bd758cb3b7ccc887f40",
        "PDDL",
        "Hanke et al., Scientific Data (2014)",
    ),
    PublicSource(
        "SAG-anon",
        f"{GITHUB}/FNNDSC/SAG-anon/3d6e850b625e940aab02f0120cf5fb15977216bc",
        "MIT",
        "github.com/FNNDSC/SAG-anon",
    ),
    PublicSource(
        "mskt",
        "https://files.pythonhosted.org/packages/source/m/mskt/mskt-0.1.22.tar.gz",
        "MIT",
        "pypi.org/project/mskt",
        archive="b49ffa4924337e28dc08af2e7efab399e9248c9e7db477e593d5d6e254757308",
    ),
    PublicSource(
        "QMRITools",
        f"{GITHUB}/mfroeling/QMRITools/d7f391e4c73911ff9ea4995b19de1c6ae8123db2",
        "BSD-3-Clause",
        "Froeling, Journal of Open Source Software (2019)",
    ),
)


def fetch(folder: Path, progress: bool = True) -> None:
    """Download what a data folder lacks; a second call goes on where the first one stopped.

    Every file is compared with its SHA-256, which stands in ``open_images.sha256``.

    Parameters
    ----------
    folder
        Made if need be.
    progress
        Show a bar for each file.

    Raises
    ------
    InputError
        If a file cannot be had, or is not the one that was published.
    """
    for source in SOURCES:
        missing = {
            name: checksum
            for name, checksum in checksums(source).items()
            if not (folder / source.folder / name).is_file()
        }
        try:
            if missing and source.archive:
                _unpack(source, missing, folder, progress)
            else:
                for name, checksum in missing.items():
                    place = (folder / source.folder / name).parent
                    _download(f"{source.url}/{quote(name)}", checksum, place, name, progress)
        except (OSError, ValueError) as error:  # requests' errors are OSErrors
            raise InputError(
                f"The images of {source.folder} could not be downloaded ({error}); "
                f"what has arrived is kept, and the next try goes on from there."
            ) from None


def checksums(source: PublicSource) -> dict[str, str]:
    """SHA-256 of every file of a source, by its path below the source's folder."""
    lines = CHECKSUMS.read_text("utf-8").splitlines()
    pairs = (line.split("  ", 1) for line in lines)
    folder = source.folder + "/"
    return {n.removeprefix(folder): checksum for checksum, n in pairs if n.startswith(folder)}


def _download(url: str, checksum: str, place: Path, name: str, progress: bool) -> Path:
    fetched = pooch.retrieve(
        url,
        known_hash=f"sha256:{checksum}",
        path=place,
        fname=Path(name).name,
        downloader=pooch.HTTPDownloader(timeout=30, progressbar=progress),
    )
    return Path(fetched)


def _unpack(source: PublicSource, missing: dict[str, str], folder: Path, progress: bool) -> None:
    """Take the missing files out of a source's archive, wherever in it they lie."""
    assert source.archive
    archive = _download(source.url, source.archive, folder, source.url.rsplit("/")[-1], progress)
    with tarfile.open(archive) as tar:
        for member in tar:
            name = "/".join(Path(member.name).parts[-2:])
            if name in missing and member.isfile():
                data = tar.extractfile(member).read()  # type: ignore[union-attr]
                if hashlib.sha256(data).hexdigest() != missing[name]:
                    raise ValueError(f"{name} in the archive is not the published file")
                place = folder / source.folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
    archive.unlink()


def volumes(folder: Path, subjects: Sequence[str]) -> Iterable[Volume]:
    """Every volume of some subjects, in a fixed order; slices of shape (H, W), float32."""
    for subject, paths in _files(folder, subjects):
        if paths[0].suffix == ".dcm":
            slices = [pydicom.dcmread(path).pixel_array.astype(np.float32) for path in paths]
            yield Volume(subject, subject, _with_signal(np.stack(slices)))
        else:
            data = np.asarray(nibabel.load(paths[0]).dataobj, dtype=np.float32)  # type: ignore[attr-defined]
            # NIfTI's axes are left-right, front-back, slice; rows of a picture run front-back.
            name = paths[0].name.split(".")[0]
            yield Volume(subject, name, _with_signal(data.transpose(2, 1, 0)))


def present(folder: Path, subjects: Sequence[str]) -> list[str]:
    """Those of some subjects that a folder has files of, in their order."""
    found = {subject for subject, _ in _files(folder, subjects)}
    return [subject for subject in subjects if subject in found]


def _files(folder: Path, subjects: Sequence[str]) -> Iterable[tuple[str, list[Path]]]:
    """Subject and files of every volume of some subjects."""
    for path in sorted(folder.glob("open_ms_data/longitudinal/raw/patient*/*.nii.gz")):
        subject = f"open_ms_{path.parent.name.removeprefix('patient')}"
        if subject in subjects:
            yield subject, [path]
    for path in sorted(folder.glob("QMRITools/scripts/test data/*.nii.gz")):
        if "legs" in subjects:
            yield "legs", [path]
    for subject, pattern in (
        ("hanke", "example-dicom-structural/dicoms/*.dcm"),
        ("sag-anon", "SAG-anon/*.dcm"),
        ("mskt", "mskt/MESE_T2_dicom_data_anon/*.dcm"),
    ):
        paths = sorted(folder.glob(pattern)) if subject in subjects else []
        if paths:
            yield subject, paths


def _with_signal(slices: np.ndarray) -> np.ndarray:
    """Slices whose brightest percent reaches a quarter of the brightest slice's."""
    level = np.percentile(slices, 99, axis=(1, 2))
    bright: np.ndarray = slices[level >= 0.25 * level.max()]
    return bright
