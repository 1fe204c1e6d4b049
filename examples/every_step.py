"""How a slice comes back, step by step: python examples/every_step.py FIGURE.png"""

import io
import sys

from matplotlib.figure import Figure
from PIL import Image

from recon import figures, phantom
from recon.methods import IterativeMethod, find
from recon.scan import Scan

scan = Scan.of(phantom.kspace((256, 256)))
sampling = scan.draw(acceleration=8, seed=0)
measurement = scan.measure(sampling.mask, sampling.acceleration)
method = find("resnet-dc")
assert isinstance(method, IterativeMethod)
steps = list(method.steps(measurement))  # the image after each, float32 (H, W)

upper = figures.white(scan.truth)  # one window for all of them
panels = {
    "1. All of k-space": figures.log_kspace(abs(scan.kspace)),
    "3. The lines of the mask": figures.log_kspace(abs(measurement.kspace)),
    "4. Zero-filled": measurement.zero_filled,
    **{f"5. After step {n}": steps[n - 1] for n in (1, 2, 4, len(steps))},
    "7. Fully sampled": scan.truth,
}
figure = Figure(figsize=(10, 5.6), layout="constrained")
for axes, (title, image) in zip(figure.subplots(2, 4).flat, panels.items(), strict=True):
    axes.axis("off")
    if image.dtype != "uint8":
        ssim = scan.score(image)["ssim"]
        print(f"{title}: SSIM {ssim:.3f}" if ssim < 1 else title)
        title = f"{title}\nSSIM {ssim:.3f}" if ssim < 1 else title
        image = figures.gray(image, upper)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255)
    axes.set_title(title, fontsize=9)
if len(sys.argv) > 1:
    picture = io.BytesIO()
    figure.savefig(picture, dpi=70)
    Image.open(picture).convert("L").save(sys.argv[1], optimize=True)
