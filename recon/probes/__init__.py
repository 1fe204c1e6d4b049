"""Experiments on one slice that show why reconstruction works, and where it fails.

Each module is one experiment and knows nothing of pages or pictures. K-space is fully sampled,
complex, shape (H, W) or (C, H, W), with phase encoding along the last axis, and one coil
combination is left: the root-sum-of-squares. Experiments that take time are generators, so that
whoever runs them can show what is done so far.
"""

from collections.abc import Callable

import numpy as np

from recon.measurement import Measurement

Method = Callable[[Measurement], np.ndarray]
"""A measurement in, a magnitude image out, as in `recon.methods.METHODS`."""
