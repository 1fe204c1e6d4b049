"""The page's JavaScript without a browser: pure functions, compared with Python by Node."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from skimage.metrics import structural_similarity

from recon import masks, metrics
from recon.probes.psf import full_width, point_spread, sidelobe_level
from recon.ui.web import HERE as WEB
from recon.ui.web import MODULES
from recon.ui.words import PLACE, german, pairs

HERE = Path(__file__).parent / "web"


def fourier_cases() -> list[dict]:
    rng = np.random.default_rng(0)
    cases = []
    for n, batch in ((1, 2), (2, 1), (16, 3), (45, 2), (96, 2), (97, 2), (251, 1), (320, 2)):
        data = rng.standard_normal((n, batch)) + 1j * rng.standard_normal((n, batch))
        out = np.fft.ifft(data, axis=0, norm="forward")
        cases.append(
            {
                "n": n,
                "batch": batch,
                "re": data.real.ravel().tolist(),
                "im": data.imag.ravel().tolist(),
                "outRe": out.real.ravel().tolist(),
                "outIm": out.imag.ravel().tolist(),
                "outForward": np.fft.fft(data, axis=0).real.ravel().tolist(),
            }
        )
    return cases


def random_cases() -> list[dict]:
    cases = []
    for seed in (0, 1, 12345, 2**31, 2**53 - 1):
        rng = np.random.default_rng(seed)
        cases.append(
            {
                "seed": seed,
                "uniform": rng.random(40).tolist(),
                "integers": [[n, int(rng.integers(n))] for n in (1, 2, 3, 5, 7, 24, 1000)],
                "sample": sorted(rng.choice(100, 30, replace=False).tolist()),
            }
        )
    return cases


def mask_cases() -> list[dict]:
    cases = []
    for family, draw in masks.FAMILIES.items():
        for width, rate, fraction, seed in (
            (256, 4, 0.08, 0), (320, 8, 0.04, 1), (320, 2.5, 0.128, 2), (251, 6, 0.0, 3),
            (80, 16, 0.02, 4), (96, 5, 0.06, 5), (368, 4, 0.08, 6), (181, 3, 0.3, 7),
        ):  # fmt: skip
            mask = draw(width, rate, fraction, seed)
            cases.append(
                {
                    "family": family,
                    "width": width,
                    "acceleration": rate,
                    "fraction": fraction,
                    "seed": seed,
                    "mask": "".join(map(str, mask.astype(int))),
                    "spread": np.abs(point_spread(mask)).tolist(),
                    "sidelobe": sidelobe_level(mask),
                    "fullWidth": full_width(mask),
                }
            )
    return cases


def score_cases() -> list[dict]:
    rng = np.random.default_rng(1)
    cases = []
    for height, width in ((24, 31), (64, 40)):
        reference = rng.random((height, width)).cumsum(1)
        image = reference + rng.standard_normal(reference.shape)
        limit = 1.2 * float(reference.max())
        top, bottom, left, right = 5, height - 9, 6, width - 8
        inside = np.s_[top : bottom + 1, left : right + 1]
        value, everywhere = structural_similarity(reference, image, data_range=limit, full=True)
        cases.append(
            {
                "reference": reference.ravel().tolist(),
                "image": image.ravel().tolist(),
                "width": width,
                "height": height,
                "range": limit,
                "ssim": float(value),
                "box": {"top": top, "bottom": bottom, "left": left, "right": right},
                "region": float(everywhere[inside].mean()),
                "psnr": metrics.psnr(reference[inside], image[inside], limit),
                "nmse": metrics.nmse(reference[inside], image[inside]),
                "mean": float(image[inside].mean()),
                "sd": float(image[inside].std()),
            }
        )
    return cases


def profile_cases() -> list[dict]:
    rng = np.random.default_rng(2)
    cases = []
    for height, width in ((20, 31), (33, 16)):
        values = rng.random((height, width))
        for start, end in (((0, 0), (height - 1, width - 1)), ((7, 3), (7, 12)), ((9, 4), (9, 4))):
            length = np.hypot(end[0] - start[0], end[1] - start[1])
            steps = max(1, round(length))
            places = [np.linspace(a, b, steps + 1) for a, b in zip(start, end, strict=True)]
            inside = np.s_[2 : height - 3, 1 : width - 4]
            counts, _ = np.histogram(values[inside], bins=8, range=(0.1, 0.9))
            cases.append(
                {
                    "values": values.ravel().tolist(),
                    "width": width,
                    "height": height,
                    "line": {
                        name: {"row": row, "column": column}
                        for name, (row, column) in (("from", start), ("to", end))
                    },
                    "distance": np.linspace(0, length, steps + 1).tolist(),
                    "along": map_coordinates(values, places, order=1).tolist(),
                    "box": {"top": 2, "bottom": height - 4, "left": 1, "right": width - 5},
                    "low": 0.1,
                    "high": 0.9,
                    "counts": (counts / values[inside].size).tolist(),
                }
            )
    return cases


def word_cases() -> list[list[str | None]]:
    """Texts of the page, filled with numbers and words, and what Python makes of them."""
    fillings = ("3", "Mask", "1, 2 of 3")
    filled = [PLACE.sub(each, english) for english, _ in pairs() for each in fillings]
    return [[text, german(text)] for text in (*filled, "nothing of the page", "3 of 9 lines. 4x")]


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("no Node on the path")
    return found


def test_functions_agree_with_python(node, tmp_path):
    cases = {
        "fourier": fourier_cases(),
        "random": random_cases(),
        "masks": mask_cases(),
        "scores": score_cases(),
        "profiles": profile_cases(),
        "words": word_cases(),
    }
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases))
    done = subprocess.run(
        [node, "--test", *map(str, sorted(HERE.glob("*.test.mjs")))],
        env={"CASES": str(path), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_no_selector_has_a_comma_inside_of_parentheses():
    """Gradio takes selectors apart at every comma and would break them."""
    from recon.ui.web import CSS

    plain = re.sub(r"/\*.*?\*/", "", CSS, flags=re.DOTALL)
    selectors = re.findall(r"([^{}]+)\{", plain)
    assert len(selectors) > 100
    for selector in selectors:
        if not selector.strip().startswith("@"):
            assert not re.search(r"\([^)]*,", selector), selector


def test_every_module_comes_after_those_it_imports():
    for at, name in enumerate(MODULES):
        text = (WEB / f"{name}.mjs").read_text("utf-8")
        assert set(re.findall(r"from '\./(\w+)\.mjs'", text)) <= set(MODULES[:at])
