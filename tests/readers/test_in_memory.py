"""Arrays that a program hands over are refused in one sentence, as files are."""

import numpy as np
import pytest

from recon.errors import InputError
from recon.readers.in_memory import of_array


@pytest.mark.parametrize("shape", [(0, 48), (48, 0), (0, 64, 48), (2, 64, 0), (0, 0)])
@pytest.mark.parametrize("axes", ["auto", None])
def test_an_array_of_no_values_is_refused(shape, axes):
    axes = axes or "CHW"[-len(shape) :]
    with pytest.raises(InputError, match="no values at all; k-space is complex"):
        of_array(np.zeros(shape, complex), axes=axes)
