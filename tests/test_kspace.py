"""The array that remembers where it came from."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from recon.errors import InputError
from recon.kspace import KSpace, Source


@pytest.mark.parametrize("shape", [(4, 6), (3, 5, 7)])
@pytest.mark.parametrize("dtype", [np.complex128, np.complex64, np.float32, np.int16])
def test_becomes_complex64(shape, dtype):
    k = KSpace(np.ones(shape, dtype))
    assert k.dtype == np.complex64
    assert k.shape == shape
    assert k.data.flags.c_contiguous


@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4, 5)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match="has the shape"):
        KSpace(np.ones(shape))


def test_the_original_is_not_changed():
    original = np.ones((4, 4), np.complex64)
    k = KSpace(original)
    assert type(original) is np.ndarray
    np.testing.assert_array_equal(k, original)


def test_source_belongs_to_the_whole_slice_alone():
    assert KSpace(np.ones((2, 2))).source == Source()
    k = KSpace(np.ones((2, 4)), Source(name="knee.h5", mask=np.ones(4, bool)))
    for derived in (k[:, :2], 2 * np.asarray(k), np.conj(k), np.abs(k), k.data.copy()):
        assert type(derived) is np.ndarray  # half of the lines are not this scan any more
        assert not hasattr(derived, "source")


def test_numpy_takes_it_for_an_array():
    k = KSpace(np.arange(6).reshape(2, 3))
    assert np.asarray(k) is k.data
    assert np.asarray(k, np.complex128).dtype == np.complex128
    copied = np.array(k)
    copied[:] = 7
    assert k[0, 0] == 0
    assert (k.shape, k.ndim, k.dtype) == ((2, 3), 2, np.complex64)


def test_two_arrays_do_not_share_a_source():
    first, second = KSpace(np.ones((2, 2)), Source(name="a")), KSpace(np.ones((2, 2)))
    assert (first.source.name, second.source.name) == ("a", "array")


def test_copies_keep_the_source():
    k = KSpace(np.ones((2, 2)), Source(name="a"))
    assert copy.copy(k).source.name == "a"
    assert copy.deepcopy(k).source.name == "a"


def test_source_is_frozen():
    with pytest.raises(AttributeError):
        Source().name = "other"


def test_pickle_keeps_the_numbers():
    k = KSpace(np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(k)), k)


def test_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)
