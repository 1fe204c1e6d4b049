"""What training makes small."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from recon.metrics import K1, K2, WINDOW


def ssim_loss(image: Tensor, reference: Tensor, window: int = WINDOW) -> Tensor:
    """1 - SSIM as `recon.metrics.ssim` computes it, with a gradient.

    Parameters
    ----------
    image, reference
        Real, shape (N, 1, H, W). The data range is the maximum of each reference.
    window
        Side of the uniform window, in pixels.

    Returns
    -------
    Scalar, the mean over images.
    """
    data_range = reference.amax((1, 2, 3), keepdim=True)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    sample = window**2 / (window**2 - 1)  # sample covariance, not population

    def mean(x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, window, stride=1)

    mx, my = mean(image), mean(reference)
    vx = sample * (mean(image * image) - mx * mx)
    vy = sample * (mean(reference * reference) - my * my)
    vxy = sample * (mean(image * reference) - mx * my)
    similarity = (2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    return 1 - similarity.mean()


def adversarial_loss(discriminator: nn.Module, image: Tensor) -> Tensor:
    """How little a discriminator believes an image: the generator's loss of Goodfellow et al.

    Non-saturating, 2014, arXiv 1406.2661.
    """
    return functional.softplus(-discriminator(image)).mean()


def discriminator_loss(discriminator: nn.Module, image: Tensor, reference: Tensor) -> Tensor:
    """How badly a discriminator tells a network's images from references."""
    made = functional.softplus(discriminator(image.detach())).mean()
    return made + functional.softplus(-discriminator(reference)).mean()
