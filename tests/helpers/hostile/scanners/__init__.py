"""Attacks in the scanners' and laboratories' formats, one module each.

Fields that lie, loops, bombs, code: each is a valid small file in which one thing is wrong.
`files` writes them all.
"""

from __future__ import annotations

from pathlib import Path

from tests.helpers.hostile.scanners import bruker, cfl, dicom, ismrmrd, nifti, pt, twix

FORMATS = (
    twix.twix,
    bruker.bruker,
    ismrmrd.ismrmrd,
    nifti.nifti,
    dicom.dicom,
    cfl.cfl,
    pt.pt,
)


def files(folder: Path) -> dict[str, int]:
    """Write all of them; how many there are of each format."""
    valid = folder / "making"
    valid.mkdir(parents=True)
    counts = {}
    for one in FORMATS:
        counts[one.__name__] = 0
        for name, content in one(valid):
            assert not (folder / name).exists(), name
            (folder / name).write_bytes(content)
            counts[one.__name__] += 1
    for path in valid.iterdir():
        path.unlink()
    valid.rmdir()
    return counts
