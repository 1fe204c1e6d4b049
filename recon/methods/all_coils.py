"""What methods that reconstruct several coils together have in common."""

from __future__ import annotations

import numpy as np

from recon.coils.absent import absent_noise
from recon.measurement import Measurement
from recon.methods.base import Method

FAINTEST = 0.0005  # share of the largest value below which added noise is not worth a sentence


def with_absent_noise(picture: np.ndarray, measurement: Measurement) -> np.ndarray:
    """A picture of all coils, and the noise that it lacks beside a full scan: of its shape."""
    power = absent_noise(measurement)
    return np.sqrt(picture**2 + np.float32(power)) if power else picture


class AllCoils(Method):
    """A method whose picture of several coils has the noise that a full scan would show.

    A network, or a method that prefers some images, puts less noise into the lines that it fills
    in than the scanner would have; see `recon.coils.absent.missing_noise`. All of them get what is
    missing, so that they can be compared. Where coils are reconstructed one by one, nothing is
    added.
    """

    def picture(self, images: np.ndarray, measurement: Measurement) -> np.ndarray:
        return with_absent_noise(super().picture(images, measurement), measurement)

    def notes(self, measurement: Measurement) -> tuple[str, ...]:
        """Says how much was added, as a share of the zero-filled image's largest value."""
        level = absent_noise(measurement) ** 0.5
        share = level / float(measurement.zero_filled.max() or 1)
        if share < FAINTEST:
            return ()
        return (
            f"Lines that are filled in from all coils hold less noise than measured ones; what a "
            f"full scan would have more, on average {share:.1%} of the largest value, was added "
            f"to the picture.",
        )
