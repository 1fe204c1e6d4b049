"""Reconstruct one slice with several methods, and print their scores.

python examples/compare_methods.py [FILE]
"""

import sys

import recon
from recon import examples

kspace = recon.read(sys.argv[1]) if len(sys.argv) > 1 else examples.load("phantom")
for method in ("zero-filled", "cs", "resnet-dc"):
    result = recon.reconstruct(kspace, acceleration=4, seed=0, method=method)
    print(
        f"{result.label:20} SSIM {result.metrics['ssim']:.3f}  PSNR {result.metrics['psnr']:.1f} dB"
    )
