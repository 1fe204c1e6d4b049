"""The array that remembers where it came from."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from recon.fourier import ifft2c
from recon.kspace import InputError, KSpace, Source


@pytest.mark.parametrize("shape", [(4, 6), (3, 5, 7)])
@pytest.mark.parametrize("dtype", [np.complex128, np.complex64, np.float32, np.int16])
def test_becomes_complex64(shape, dtype):
    k = KSpace(np.ones(shape, dtype))
    assert k.dtype == np.complex64
    assert k.shape == shape
    assert k.flags.c_contiguous


@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4, 5)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match="has the shape"):
        KSpace(np.ones(shape))


def test_the_original_is_not_changed():
    original = np.ones((4, 4), np.complex64)
    k = KSpace(original)
    assert type(original) is np.ndarray
    np.testing.assert_array_equal(k, original)


def test_source_defaults_and_travels():
    assert KSpace(np.ones((2, 2))).source == Source()
    source = Source(name="knee.h5", format="fastMRI HDF5", slice=3, slices=36)
    k = KSpace(np.ones((2, 4)), source)
    for derived in (k[:, ::-1], 2 * k, k.copy(), np.conj(k), KSpace(k, source)):
        assert isinstance(derived, KSpace)
        assert derived.source is source


def test_ordinary_functions_work_on_it():
    k = KSpace(np.ones((6, 8)))
    np.testing.assert_array_equal(ifft2c(k), ifft2c(np.asarray(k)))
    assert np.abs(k).dtype == np.float32
    assert float(np.sum(np.abs(k))) == 48
    assert np.asarray(k).__class__ is np.ndarray


def test_two_arrays_do_not_share_a_source():
    first, second = KSpace(np.ones((2, 2)), Source(name="a")), KSpace(np.ones((2, 2)))
    assert (first.source.name, second.source.name) == ("a", "array")


def test_copies_keep_the_source():
    k = KSpace(np.ones((2, 2)), Source(name="a"))
    assert copy.copy(k).source.name == "a"
    assert copy.deepcopy(k).source.name == "a"


def test_source_is_frozen():
    with pytest.raises(AttributeError):
        Source().name = "other"  # type: ignore[misc]


def test_pickle_keeps_the_numbers():
    k = KSpace(np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(k)), k)


def test_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)
