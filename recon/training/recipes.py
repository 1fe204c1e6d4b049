"""The settings behind every published checkpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

TEST_COILS = 8  # of scans that are simulated for validation and test with several coils
MOST_APART = 8  # coils of an array of which a one-coil scan is one
NARROWEST = 0.6  # share of the field of view that a narrow one has at least


@dataclass(frozen=True)
class Run:
    """Everything that decides the weights, given the same data, machine and thread count."""

    model: str
    acceleration: float | None  # of the masks; None draws one up to 10x every time
    stage: str = ""  # of a training in several; the last one has none
    start: str = ""  # checkpoint to begin with, may name the acceleration; random where empty
    blend: str = ""  # checkpoint whose weights the start's are averaged with, if any
    before: str = ""  # checkpoint whose reconstruction this network is given, where it needs one
    dataset: str = "open"
    protocol: str = "ours"  # or the original work's
    every: int = 1  # n-th slice of each training volume is used
    steps: int = 2000
    epochs: int = 0  # where not 0, it replaces the steps, and slices come in shuffled order
    batch: int = 4  # scans a step, in every process
    patch: int = 160  # pixels: side of a patch, or height of a strip; 0 for the whole picture
    augment: bool = True
    coarsest: float = 1.0  # smallest share of an image's resolution along an axis it is brought to
    optimizer: str = "adam"  # or muon, with Adam for what is no inner kernel
    learning_rate: float = 1e-3  # the largest
    schedule: str = "cosine"  # to zero, after a linear warm-up; or constant
    warmup: int = 50  # steps
    coils: int = 1  # most coils of a simulated scan
    apart: float = 0.0  # of the one-coil scans are what one coil of an array sees by itself
    narrow: float = 0.0  # of the one-coil scans have a field of view that may cut the object
    several: float = 0.5  # of the scans have more than one coil, where `coils` is more than 1
    gentlest: float = 3.0  # smallest acceleration that is drawn
    even: bool = False  # as many between 7x and 8x as between 3x and 4x; else their logarithms are
    families: bool = False  # masks of all families rather than random ones
    tilt: float = 1.0  # samples by which an echo misses the middle of k-space, at most
    noise: float = 0.035  # largest simulated noise level, share of the image's maximum
    test_noise: float = 0.0  # of validation and test, missing from their references
    ssim_weight: float = 0.0  # of 1 - SSIM beside L1
    adversarial_weight: float = 0.0  # of a discriminator's verdict beside L1
    average: float = 0.0  # decay of the exponential moving average of the weights
    half: bool = False  # publish the weights as float16
    seed: int = 0
    keep: str = "best"  # weights on the validation subject; or the last
    validate_every: int = 200  # steps
    validation_slices: int = 12
    snapshots: int = 0  # copies of the weights along the way, ever further apart

    @property
    def recipe(self) -> str:
        """Key of `RECIPES`."""
        return f"{self.model}-{self.stage}" if self.stage else self.model

    @property
    def name(self) -> str:
        """Folder of the checkpoint, such as ``resnet-4x`` or ``resnet-8x-original-fastmri``."""
        parts = [self.recipe]
        if self.acceleration is not None:
            parts.append(f"{self.acceleration:g}x")
        parts += [] if self.protocol == "ours" else [self.protocol]
        parts += [] if self.dataset == "open" else [self.dataset]
        return "-".join(parts)

    @property
    def all_coils(self) -> bool:
        """Whether every scan has several coils."""
        return self.coils > 1 and self.several == 1

    @property
    def test_accelerations(self) -> tuple[float, ...]:
        return (4.0, 8.0) if self.acceleration is None else (self.acceleration,)

    def learning_rate_at(self, step: int) -> float:
        if self.schedule == "constant":
            return self.learning_rate
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        progress = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))

    def snapshot_steps(self) -> set[int]:
        """0, the last step, and steps ever further apart between them."""
        count = max(2, self.snapshots) - 1
        return {round(self.steps ** (i / count)) if i else 0 for i in range(count + 1)}


# What the stages of resnet-dc share; the later ones share more, those with coils still more.
UNROLLED = Run("resnet-dc", None, batch=1, patch=128, average=0.999, half=True, validate_every=500)
FURTHER = replace(UNROLLED, optimizer="muon", ssim_weight=0.5)
LATER = replace(FURTHER, learning_rate=3e-4, coarsest=0.4)
COILS = replace(
    LATER,
    learning_rate=2.5e-4,
    coils=10,
    gentlest=1.25,
    families=True,
    tilt=3.0,
    keep="last",
    patch=96,
)
ALL_COILS = replace(COILS, coils=12, several=1.0, gentlest=1.5)
# Masks of all families, gentler accelerations, more noise, echoes further off the middle.
DATA = replace(LATER, gentlest=2.0, families=True, tilt=2.0, noise=0.05)
# Every stage has a seed of its own, for scans that those before have not drawn.
LONGER = replace(DATA, learning_rate=4e-4, keep="last", validate_every=1000)
# Scanners have coils that see one side better, and objects that reach beyond the picture.
SCANNERS = replace(LONGER, even=True, tilt=3.0, apart=0.5, narrow=0.3)
# A little more from the mean of the last two stages, which keeps what either does better.
MEAN = replace(SCANNERS, steps=600, learning_rate=1e-4)
# The data, masks and loss of resnet-dc's later stages.
PEER = replace(DATA, optimizer="adam", learning_rate=1e-3)

RECIPES = {
    "cnn": Run("cnn", None, steps=900, batch=1, half=True),
    "gan": Run(
        "gan",
        4.0,
        start="resnet-{acceleration:g}x",
        steps=400,
        batch=1,
        learning_rate=1e-4,
        adversarial_weight=0.01,
        half=True,
    ),
    "resnet": Run("resnet", 4.0),
    "resnet-dc-first": replace(
        UNROLLED, stage="first", steps=7000, learning_rate=5e-4, ssim_weight=0.1
    ),
    "resnet-dc-second": replace(
        FURTHER,
        stage="second",
        start="resnet-dc-first",
        steps=2200,
        learning_rate=3e-4,
        average=0.998,
        validate_every=275,
    ),
    "resnet-dc-third": replace(
        FURTHER, stage="third", start="resnet-dc-second", steps=8000, learning_rate=4e-4
    ),
    "resnet-dc-fourth": replace(LATER, stage="fourth", start="resnet-dc-third", steps=6500),
    "resnet-dc-fifth": replace(
        DATA, stage="fifth", start="resnet-dc-fourth", steps=6000, keep="last"
    ),
    "resnet-dc-sixth": replace(LONGER, stage="sixth", start="resnet-dc-fifth", steps=14000, seed=1),
    "resnet-dc-seventh": replace(
        LONGER, stage="seventh", start="resnet-dc-sixth", steps=9000, seed=2, even=True
    ),
    "resnet-dc-eighth": replace(
        LONGER, stage="eighth", start="resnet-dc-seventh", steps=7500, seed=3, even=True
    ),
    "resnet-dc-ninth": replace(
        SCANNERS, stage="ninth", start="resnet-dc-eighth", steps=14000, seed=4
    ),
    "resnet-dc-tenth": replace(
        MEAN, stage="tenth", start="resnet-dc-ninth", blend="resnet-dc-eighth", seed=5
    ),
    "resnet-dc-eleventh": replace(
        SCANNERS,
        stage="eleventh",
        start="resnet-dc-tenth",
        steps=8500,
        apart=0.35,
        narrow=0.2,
        seed=6,
    ),
    "resnet-dc": replace(MEAN, start="resnet-dc-eleventh", blend="resnet-dc-tenth", seed=7),
    # The network for scans of several coils. It begins with one that has seen one coil at a time:
    # first with scans of both kinds, then with several coils alone. Four times it goes on from
    # the mean of its own weights and those of the network for one coil: what lies between two that
    # have a common start does better on scanners that neither saw (Wortsman et al. 2022, arXiv
    # 2109.01903). The last time it does so briefly: on the watched subject the mean itself is
    # ahead of the weights before, and the fifth, which began with such a mean too, only fell.
    "resnet-dc-coils-first": replace(
        COILS, stage="coils-first", start="resnet-dc-fourth", steps=4000, noise=0.05
    ),
    "resnet-dc-coils-second": replace(
        ALL_COILS, stage="coils-second", start="resnet-dc-coils-first", steps=3600
    ),
    "resnet-dc-coils-third": replace(
        ALL_COILS,
        stage="coils-third",
        start="resnet-dc-coils-second",
        blend="resnet-dc-fifth",
        steps=3000,
        learning_rate=2e-4,
    ),
    "resnet-dc-coils-fourth": replace(
        ALL_COILS,
        stage="coils-fourth",
        start="resnet-dc-coils-third",
        blend="resnet-dc-seventh",
        steps=4000,
        even=True,
        seed=1,
    ),
    "resnet-dc-coils-fifth": replace(
        ALL_COILS,
        stage="coils-fifth",
        start="resnet-dc-coils-fourth",
        blend="resnet-dc-eighth",
        steps=4000,
        even=True,
        seed=2,
    ),
    "resnet-dc-coils": replace(
        ALL_COILS,
        stage="coils",
        start="resnet-dc-coils-fifth",
        blend="resnet-dc",
        steps=600,
        learning_rate=1e-4,
        even=True,
        keep="best",
        validate_every=100,
        seed=3,
    ),
    # Takes the noise out of what resnet-dc makes; its references have none. The published one
    # learned from what resnet-dc-fifth made. Another 3000 steps with resnet-dc raised the PSNR of
    # the watched subject and lowered its SSIM, and were left out.
    "resnet-dc-denoised": replace(
        PEER,
        model="resnet-dc-denoised",
        before="resnet-dc",
        steps=3000,
        learning_rate=5e-4,
        noise=0.08,
        test_noise=0.05,
    ),
    # Its training is shown on the page: no average over steps, which would lag behind.
    "resnet-dc-small": replace(
        UNROLLED,
        model="resnet-dc-small",
        steps=3000,
        learning_rate=2e-3,
        ssim_weight=0.5,
        average=0.0,
        snapshots=10,
    ),
    "unet": replace(PEER, model="unet", steps=4000, batch=4, patch=160),
    "varnet": replace(PEER, model="varnet", steps=4000),
    "varnet-coils": replace(
        ALL_COILS,
        model="varnet",
        stage="coils",
        start="varnet",
        steps=3000,
        optimizer="adam",
        learning_rate=5e-4,
    ),
}


def original(run: Run) -> Run:
    """The original work's protocol: whole pictures one by one, L1, Adam at a constant rate.

    20 epochs at 0.002 for accelerations nearer to 4x, 40 epochs at 0.003 for those nearer to 8x.
    """
    gentle = (run.acceleration or 4.0) < math.sqrt(32)
    return replace(
        run,
        protocol="original",
        epochs=20 if gentle else 40,
        batch=1,
        patch=0,
        augment=False,
        coarsest=1.0,
        optimizer="adam",
        learning_rate=0.002 if gentle else 0.003,
        schedule="constant",
        ssim_weight=0.0,
        average=0.0,
        validate_every=1000,
    )
