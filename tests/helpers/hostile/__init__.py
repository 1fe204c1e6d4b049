"""Files that attack their reader, one module a format."""

from tests.helpers.hostile import arrays, chunks, hdf5, matlab, pictures, walled

ATTACKS = hdf5.ATTACKS + arrays.ATTACKS + matlab.ATTACKS + pictures.ATTACKS
WALLED = walled.ATTACKS  # these need a process of their own

__all__ = ["ATTACKS", "WALLED", "chunks"]
