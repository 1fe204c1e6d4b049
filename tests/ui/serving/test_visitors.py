"""A few visitors come and go, as hundreds do in `tests.helpers.visitors`."""

import sys

import pytest

from tests.helpers import visitors


@pytest.mark.browser
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_of_visitors_who_left_nothing_is_left(monkeypatch):
    monkeypatch.setattr(visitors, "FIRST", 6)
    report = visitors.run(visitors=12, broken=6, seconds=10, seed=1)
    assert report["problems"] == []
    assert report["files after their age"] == []
    assert report["full disk"]["upload"][0] == 507
    assert "no room" in report["full disk"]["upload"][1]
    assert set(report["full disk"]["examples shown"].values()) == {True}
    assert report["full disk"]["download"]
    assert report["growth"] < 0.1
    assert report["readers"] <= 1
