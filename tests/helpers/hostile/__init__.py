"""Files that attack their reader, one module a format."""

from tests.helpers.hostile import arrays, hdf5, matlab, pictures

ATTACKS = hdf5.ATTACKS + arrays.ATTACKS + matlab.ATTACKS + pictures.ATTACKS
