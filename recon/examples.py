"""Slices to try without having any data: three that are built in, and real scans on demand.

Nothing real is part of this project. The real scans are downloaded from where their authors
published them, at a fixed commit, the first time somebody asks for one, and every copy is
checked against its SHA-256. Without internet, the environment variable ``RECON_EXAMPLES`` may
name a folder that holds copies.
"""

from __future__ import annotations

import gzip
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pooch

from recon import phantom
from recon.coils import phantom as coil_phantom
from recon.coils.simulate import Loops
from recon.errors import InputError
from recon.kspace import KSpace, Source
from recon.readers import read
from recon.simulate import kspace_from_magnitude

HOST = "https://raw.githubusercontent.com"
CALIBRATION_FROM = 17  # line of the accelerated scan that its calibration begins with
TIMEOUT = 5  # seconds without an answer before we give up
FOLDER = "RECON_EXAMPLES"  # environment variable: where local copies are


@dataclass(frozen=True)
class Remote:
    """A published file.

    Attributes
    ----------
    name
        File name of a local copy.
    repository, commit, path
        Where it is on GitHub.
    sha256
        Checksum in hexadecimal.
    """

    name: str
    repository: str
    commit: str
    path: str
    sha256: str

    @property
    def url(self) -> str:
        """Address of the file."""
        return f"{HOST}/{self.repository}/{self.commit}/{quote(self.path)}"


@dataclass(frozen=True)
class Example:
    """Something to try.

    Attributes
    ----------
    key
        Name for `load`.
    title
        A few words for a menu.
    description
        One sentence: what it shows and, for real scans, whose it is and its licence.
    loader
        Makes or reads the slice.
    file
        The published file behind it; None for what is built in.
    calibration
        A second file, of lines in the middle that were measured for themselves.
    """

    key: str
    title: str
    description: str
    loader: Callable[[], KSpace]
    file: Remote | None = None
    calibration: Remote | None = None

    @property
    def remote(self) -> bool:
        """Whether it has to be downloaded the first time."""
        return self.file is not None

    @property
    def whole(self) -> bool:
        """Whether one published file holds all of it."""
        return self.remote and self.calibration is None


def load(key: str) -> KSpace:
    """An example's k-space; of a scan with several slices, the one the reader shows first.

    Parameters
    ----------
    key
        One of `EXAMPLES`.

    Returns
    -------
    complex64, shape (H, W), or (C, H, W) of several coils.

    Raises
    ------
    InputError
        If there is no such example, or its file can neither be found nor downloaded.
    """
    return _find(key).loader()


def fetch(key: str) -> Path:
    """The verified file of a real example, to read its other slices from.

    Looked for in the folder ``RECON_EXAMPLES`` (itself and two levels of folders below) and
    among earlier downloads, then downloaded.

    Parameters
    ----------
    key
        One of `EXAMPLES` with a `file`.

    Returns
    -------
    Path of a local file whose SHA-256 was checked in this call.

    Raises
    ------
    InputError
        If the example has no file, its file cannot be downloaded, or a copy is not the
        published one.
    """
    example = _find(key)
    if example.file is None:
        raise InputError(f"The example {key} is built in and has no file.")
    return _fetch(example, example.file)


def _fetch(example: Example, file: Remote) -> Path:
    return _local_copy(file) or _download(example, file)


def _find(key: str) -> Example:
    if key not in EXAMPLES:
        raise InputError(f"There is no example {key!r}; there are {', '.join(EXAMPLES)}.")
    return EXAMPLES[key]


def _local_copy(file: Remote) -> Path | None:
    """A copy in the folder that ``RECON_EXAMPLES`` names, if that is set and has one."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return None
    levels = (Path(folder).glob(pattern + file.name) for pattern in ("", "*/", "*/*/"))
    copy = next((path for path in chain(*levels) if path.is_file()), None)
    if copy and pooch.file_hash(str(copy)) != file.sha256:
        raise InputError(
            f"The copy of {file.name} in the folder {FOLDER} is not the published file: "
            f"its SHA-256 differs."
        )
    return copy


def _download(example: Example, file: Remote) -> Path:
    """One of its files from the cache, or else from its public source."""
    # It would announce every download, with address and cache folder, on stderr.
    pooch.get_logger().setLevel(logging.ERROR)
    try:
        path = pooch.retrieve(
            file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=file.name,
            path=pooch.os_cache("mri-recon"),
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT),
        )
    except OSError as error:  # every exception of requests is one
        raise InputError(
            f"The example “{example.title}” could not be downloaded; it needs an internet "
            f"connection once, or a folder with a copy of {file.name} named by {FOLDER}."
        ) from error
    except ValueError as error:
        raise InputError(
            f"The download of the example “{example.title}” is not the published file: "
            f"its SHA-256 differs."
        ) from error
    return Path(path)


def _head() -> KSpace:
    # Only this example needs matplotlib's sample data, and some distributions leave it out.
    from matplotlib import cbook

    try:
        with gzip.open(cbook.get_sample_data("s1045.ima.gz", asfileobj=False)) as file:
            image = np.frombuffer(file.read(), ">u2").reshape(256, 256)
    except FileNotFoundError as error:
        raise InputError(
            "The head example is part of matplotlib's sample data, which this installation "
            "of matplotlib lacks."
        ) from error
    source = Source(
        name="head",
        format="magnitude image",
        simulated=True,
        notes=("K-space was simulated from a magnitude image, with a made-up smooth phase.",),
    )
    kspace = kspace_from_magnitude(image.astype(np.float32), np.random.default_rng(0))
    return KSpace(kspace, source)


def _phantom() -> KSpace:
    note = (
        "Nothing was measured: k-space was computed exactly from the formula of the ellipses, "
        "not by an FFT of a picture, and a little noise was added."
    )
    source = Source(
        name="phantom",
        format="analytic phantom",
        simulated=True,
        notes=(note,),
    )
    return KSpace(phantom.kspace(), source)


def _phantom_coils() -> KSpace:
    note = (
        f"Nothing was measured: {coil_phantom.COILS} loops of wire around the phantom see it as "
        f"the law of Biot and Savart says, and k-space was computed exactly from formulas. The "
        f"noise that was added is white, {coil_phantom.NOISE:g} for real and imaginary part."
    )
    source = Source(
        name="phantom-coils",
        format="analytic phantom",
        simulated=True,
        attrs={"noise": coil_phantom.NOISE},
        notes=(note,),
    )
    return KSpace(coil_phantom.kspace(Loops.ring(coil_phantom.COILS)), source)


def _scan(key: str) -> KSpace:
    # Every published file here has one channel, which the files themselves do not say.
    return read(fetch(key), axes="slices")


def _accelerated(key: str) -> KSpace:
    """Every other line of a scan, and between them those of the middle, measured beforehand."""
    example = EXAMPLES[key]
    assert example.calibration is not None
    scan = read(fetch(key), axes="HWC")
    middle = read(_fetch(example, example.calibration), axes="HWC").data
    data, lines = scan.data.copy(), scan.source.mask
    assert lines is not None
    lines = lines.copy()
    place = slice(CALIBRATION_FROM, CALIBRATION_FROM + middle.shape[-1])
    twice = lines[place]  # measured both times, between which amplifiers drifted
    before, after = middle[..., twice], data[..., place][..., twice]
    middle = middle * (np.vdot(before, after) / np.vdot(before, before))
    data[..., place][..., ~twice] = middle[..., ~twice]
    lines[place] = True
    note = (
        "The scanner measured every other line, and for calibration "
        f"{middle.shape[-1]} lines of the middle in a scan of their own, which were scaled to fit."
    )
    return KSpace(data, replace(scan.source, mask=lines, notes=(note,)))


def _low_field(key: str, title: str, description: str, figure: str, scan: str, sha: str) -> Example:
    """A scan of the 0.055 T scanner of Liu et al. 2021, doi 10.1038/s41467-021-27317-1."""
    file = Remote(
        name=f"fig{figure}_{scan}_kspace.mat",
        repository="bispmri/Ultra-low-field-MRI-Scanner",
        commit="01f2bfc9bde2233b74790fec0babf940e8df52ed",
        path=(
            f"Data for Figures in the Manuscript/Figure {figure}/0.055T/"
            f"0.055T_{scan}_kspace_postEMI.mat"
        ),
        sha256=sha,
    )
    credit = "by Liu et al., Nature Communications 2021 (CC0, bispmri on GitHub)"
    return Example(key, title, f"{description}, {credit}.", partial(_scan, key), file)


def _grappa_file(name: str, sha: str) -> Remote:
    return Remote(
        name=name,
        repository="xingkong97/Grappa-Reconstruction",
        commit="1a625837f49375ecd7477fa73f7236783a75a5ca",
        path=name,
        sha256=sha,
    )


EXAMPLES: dict[str, Example] = {
    example.key: example
    for example in (
        Example(
            "head",
            "Head, T1 (simulated)",
            "A real head slice that matplotlib ships as sample data; only its magnitude is "
            "known, so its k-space is simulated.",
            _head,
        ),
        Example(
            "phantom",
            "Shepp-Logan phantom (exact)",
            "A mathematical head made of ellipses, with bars and dots of known size; its "
            "k-space is computed exactly from a formula.",
            _phantom,
        ),
        Example(
            "phantom-coils",
            "Phantom seen by 8 coils (exact)",
            "The mathematical head inside a ring of eight coils, whose fields, noise and k-space "
            "are known exactly.",
            _phantom_coils,
        ),
        Example(
            "t1-spin-echo",
            "Head, T1 spin echo (measured)",
            "Measured k-space of a head, one channel, 256 x 256, from Larson, Principles of "
            "MRI (MIT licence, LarsonLab on GitHub, doi 10.5281/zenodo.5547020).",
            partial(_scan, "t1-spin-echo"),
            Remote(
                name="se_t1_sag_data.mat",
                repository="LarsonLab/MRI-education-resources",
                commit="fd66a1fd1528933aa6508396dc4ab2b747c731a8",
                path="Data/se_t1_sag_data.mat",
                sha256="28efd2d75c8e9af0bef6a55c3110153e2a911e75f31d92a15d3160e2ef466de6",
            ),
        ),
        Example(
            "accelerated-coils",
            "Phantom, 16 coils, 2x accelerated (measured)",
            "A resolution phantom that 16 coils measured with every other line left out, so there "
            "is no reference, by Bo Li (MIT licence, xingkong97 on GitHub).",
            partial(_accelerated, "accelerated-coils"),
            _grappa_file(
                "kdata.mat", "73e77ec2cd12b7bbabcc2ab69a3ceadf6ff63b955381b0c0f4ff28e77a32c60b"
            ),
            _grappa_file(
                "refscan.mat", "e331f9c05fded3f26132d6fbe8c73698e90de3835fcea4a3ea9d7caf4923e6b2"
            ),
        ),
        _low_field(
            "low-field-fse",
            "Head, 0.055 T FSE (measured)",
            "Measured k-space of four slices of a head at 0.055 T, fast spin echo",
            "6A",
            "FSE",
            "c2e076c21ea994933c13d936738ad0fd2636a22a1c2a26fe3f4e7e73c43f645b",
        ),
        _low_field(
            "low-field-gre",
            "Head, 0.055 T GRE (measured)",
            "Measured k-space of four slices of a head at 0.055 T, gradient echo",
            "6A",
            "GRE",
            "13f7305f42b15eea770773d85e84884d841e9441c9edb1ad4f013b48eebfba18",
        ),
        _low_field(
            "low-field-flair",
            "Head, 0.055 T FLAIR (measured)",
            "Measured k-space of four slices of a head at 0.055 T, fluid-attenuated, with nine "
            "phase lines filled with zeros",
            "7A",
            "FLAIR",
            "9c32b4f54e0b95eb4a87a962332a13a99346944c828d29060536e89452def061",
        ),
    )
}
