"""Somebody with a cookie, and a file of theirs."""

import httpx
import numpy as np
import pytest

from recon import phantom


@pytest.fixture
def visitor(url):
    with httpx.Client(base_url=url, timeout=60) as one:
        one.get("/")
        yield one


@pytest.fixture
def file(tmp_path):
    np.save(tmp_path / "k.npy", phantom.kspace((48, 40)))
    return tmp_path / "k.npy"
