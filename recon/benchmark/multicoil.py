"""All coils together, against coil by coil and SENSE: ``python -m recon.benchmark.multicoil``.

Scores are taken inside the head as well: with many coils the noise of the background decides the
plain SSIM.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from skimage.metrics import structural_similarity
from torch import nn

from recon import datasets, masks, weights
from recon.benchmark import bart
from recon.coils.joint import Joint, calibration, coil_images
from recon.coils.simulate import narrowed
from recon.datasets.volumes import fully_sampled
from recon.errors import InputError
from recon.fourier import center_crop, fft2c, ifft2c, rss
from recon.measurement import CROP, Measurement
from recon.methods import METHODS
from recon.methods.all_coils import with_absent_noise
from recon.methods.networks import method_of
from recon.readers import read
from recon.scan import Scan

COILS = 8  # that see a simulated head
NOISE = 0.005  # share of the image's maximum, in each of them, where nothing else is asked for
REGULARIZATIONS = (0.0003, 0.001, 0.003, 0.01)  # the best of which counts, to BART's advantage
NEWTON_STEPS = (8, 10)  # likewise; 12 take a minute and are worse
MASKS: dict[str, Callable[[int], np.ndarray]] = {
    **{f"calibrated {r}x": partial(masks.calibrated, acceleration=r, offset=0) for r in (2, 3, 4)},
    **{f"random {r}x": partial(masks.random_cartesian, acceleration=r) for r in (4, 8)},
}
Method = Callable[[Measurement], np.ndarray]
Table = dict[tuple[str, str, str], list[dict[str, float]]]  # by set, mask and method: scan by scan


def cut(kspace: np.ndarray) -> np.ndarray:
    """Of an object that reaches the first and the last row, as a leg does."""
    height = kspace.shape[-2]
    return fft2c(ifft2c(kspace)[..., round(0.28 * height) : round(0.72 * height), :])


def folded(kspace: np.ndarray) -> np.ndarray:
    """Of a field of view that is narrower than the object, which lies on itself."""
    return narrowed(kspace, round(0.6 * kspace.shape[-1]))


def filtered(kspace: np.ndarray) -> np.ndarray:
    """Whose outer part a scanner has made weak: a raised cosine from 0.6 of the radius on."""
    y, x = (np.linspace(-1, 1, length) for length in kspace.shape[-2:])
    beyond = np.clip((np.hypot(y[:, None], x) - 0.6) / 0.4, 0, 1)
    return kspace * (0.5 + 0.5 * np.cos(np.pi * beyond)).astype(np.float32)


KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "plain": np.asarray,
    "cut": cut,
    "folded": folded,
    "filtered": filtered,
}


def scans(
    data: Path, slices: int, noise: float = NOISE, kind: str = "plain"
) -> Iterable[tuple[str, Scan]]:
    """The measured head, and so many slices of the test subjects, seen by simulated coils.

    The coils' noise is in the reference, too, as in a measured one. The simulated ones may be of
    a kind that is hard to reconstruct, a key of `KINDS`.

    Raises
    ------
    InputError
        If the folder does not hold them.
    """
    real = data / "real_kspace/brain_slice.npz"
    if real.is_file():
        yield "brain_slice", Scan.of(read(real), crop=CROP)
    elif not slices:
        raise InputError("The data folder has no real_kspace/brain_slice.npz.")
    volumes = datasets.load(data, "test") if slices else []
    for number in range(slices):
        volume = volumes[number % len(volumes)]
        index = len(volume.slices) * (1 + number // len(volumes)) // 3
        rng = np.random.default_rng(number)
        made = fully_sampled(volume.slices[index], rng, noise, coils=COILS)
        yield f"simulated, {kind}", Scan.of(KINDS[kind](made.data), crop=CROP)


def head(reference: np.ndarray) -> np.ndarray:
    """Pixels of the object: what is brighter than air, its holes filled; boolean, (h, w)."""
    bright = ndimage.gaussian_filter(reference, 2) > 0.1 * np.percentile(reference, 99)
    filled: np.ndarray = ndimage.binary_fill_holes(bright)
    return filled


def scores(reference: np.ndarray, image: np.ndarray) -> dict[str, float]:
    """PSNR and SSIM, of the whole picture and inside the object."""
    limit = float(reference.max())
    inside = head(reference)
    error = (image - reference) ** 2
    mean, similarity = structural_similarity(reference, image, data_range=limit, full=True)
    return {
        "psnr": 10 * np.log10(limit**2 / error.mean()),
        "ssim": mean,
        "psnr_inside": 10 * np.log10(limit**2 / error[inside].mean()),
        "ssim_inside": similarity[inside].mean(),
    }


def coil_by_coil(network: nn.Module) -> Method:
    @torch.inference_mode()
    def method(measurement: Measurement) -> np.ndarray:
        mask = torch.from_numpy(measurement.mask)
        kspace = torch.from_numpy(measurement.kspace)
        images = coil_images(network, kspace, mask)  # without maps
        return center_crop(rss(images), CROP).numpy()

    return method


def network_alone(network: nn.Module) -> Method:
    """All coils in one pass, without the last step that brings them into accord."""

    @torch.inference_mode()
    def method(measurement: Measurement) -> np.ndarray:
        kspace, mask = map(torch.from_numpy, (measurement.kspace, measurement.mask))
        found = calibration(measurement)
        assert found is not None
        joint = Joint(kspace, mask, found.maps())
        picture: np.ndarray = measurement.picture_of(
            joint.coil_images(network(*joint.inputs)[0])
        ).numpy()
        return with_absent_noise(picture, measurement)

    return method


def of_bart(method: Method) -> Method:
    """With the noise that ours have, too."""
    return lambda measurement: with_absent_noise(method(measurement), measurement)


def variants(
    networks: Mapping[str, nn.Module], together: Collection[str], with_bart: bool
) -> dict[str, list[Method]]:
    """Every method of the table; of several variants of one the best counts.

    `together` are the names of networks whose coils are only reconstructed together.
    """
    methods: dict[str, list[Method]] = {"zero-filled": [lambda m: m.zero_filled]}
    for name, network in networks.items():
        if name not in together:
            methods[f"{name}, coil by coil"] = [coil_by_coil(network)]
        methods[f"{name}, all coils, network alone"] = [network_alone(network)]
        methods[name] = [method_of(network)]  # all coils, where one image explains them
    methods["SENSE with TV"] = [METHODS["cs-sense"]]
    if with_bart:
        methods["SENSE, l1-wavelet (BART)"] = [
            of_bart(partial(bart.sense, regularization=r)) for r in REGULARIZATIONS
        ]
        methods["NLINV (BART)"] = [of_bart(partial(bart.nlinv, steps=n)) for n in NEWTON_STEPS]
    return methods


def run(cases: Iterable[tuple[str, Scan]], methods: Mapping[str, list[Method]]) -> Table:
    """Scores and seconds of every method on every scan with every mask."""
    table: Table = {}
    for set_, scan in cases:
        for mask_name, make in MASKS.items():
            measurement = scan.measure(make(scan.width), 4)
            for name, candidates in methods.items():
                start = time.perf_counter()
                rows = [scores(scan.truth, method(measurement)) for method in candidates]
                best = max(rows, key=lambda row: row["psnr_inside"])
                best["seconds"] = (time.perf_counter() - start) / len(candidates)
                table.setdefault((set_, mask_name, name), []).append(best)
            print(".", end="", file=sys.stderr, flush=True)
    return table


def as_markdown(table: Table) -> str:
    """Means over the scans of a set."""
    lines = [
        "| set | mask | method | PSNR inside | SSIM inside | PSNR | SSIM | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for names, rows in table.items():
        mean = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
        lines.append(
            f"| {' | '.join(names)} | {mean['psnr_inside']:.2f} | {mean['ssim_inside']:.4f} | "
            f"{mean['psnr']:.2f} | {mean['ssim']:.4f} | {mean['seconds']:.1f} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the open data")
    parser.add_argument("--slices", type=int, default=5, help="simulated ones")
    parser.add_argument(
        "--noise", type=float, default=NOISE, help="of the simulated ones, share of the maximum"
    )
    parser.add_argument("--kind", choices=KINDS, default="plain", help="of the simulated ones")
    parser.add_argument(
        "--weights",
        nargs="*",
        default=["resnet-dc", "resnet-dc-coils", "varnet-coils"],
        help="names of checkpoints",
    )
    parser.add_argument("--folder", type=Path, help="of the checkpoints")
    parser.add_argument("--no-bart", action="store_true")
    arguments = parser.parse_args()
    try:
        cases = list(scans(arguments.data, arguments.slices, arguments.noise, arguments.kind))
        store = weights.Store(arguments.folder) if arguments.folder else weights.default()
        networks = {name: store.load(name) for name in arguments.weights}
    except (InputError, weights.WeightsError) as error:
        print(f"multicoil: {error}", file=sys.stderr)
        return 1
    together = [name for name in networks if store.config(name).several]
    methods = variants(networks, together, not arguments.no_bart and bool(bart.version()))
    print(as_markdown(run(cases, methods)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
