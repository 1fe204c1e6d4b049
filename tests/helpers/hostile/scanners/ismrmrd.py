"""ISMRMRD whose header or table lies."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from tests.helpers import scans
from tests.helpers.files import write_h5
from tests.helpers.hostile.scanners.common import STACK, Made, put
from tests.helpers.hostile.zeros import MIB


def ismrmrd(folder: Path) -> Made:
    """Header and table of ISMRMRD."""
    path = scans.mrd(folder / "valid.mrd", STACK, oversampling=1)
    valid = path.read_bytes()
    with h5py.File(path) as file:
        described = file["dataset/xml"][0].decode()
        table = file["dataset/data"][()]

    def made(xml: str = described, rows: np.ndarray = table, **options: object) -> bytes:
        path = folder / "made.mrd"
        with h5py.File(path, "w") as file:
            file["dataset/xml"] = [xml]
            kind = rows.dtype
            file.create_dataset("dataset/data", data=rows, dtype=kind, maxshape=(None,), **options)
        return path.read_bytes()

    yield "mrd_control.mrd", made()
    lol = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    file_of_others = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    for name, xml in (
        ("entities", f"{lol}]><x>&i;</x>"),
        ("outside", f"{file_of_others}<x>&a;</x>"),
        ("deep", "<x>" * 100_000),
        ("long", "<x>" + "a" * (2 * MIB) + "</x>"),
        ("none", ""),
        ("zero", described.replace("<x>16</x>", "<x>0</x>")),
        ("huge", described.replace("<x>16</x>", "<x>65535</x>")),
        ("endless", described.replace("<x>16</x>", "<x>1e999</x>")),
        ("nan", described.replace("<x>16</x>", "<x>nan</x>")),
        ("narrow", described.replace("<y>20</y>", "<y>3</y>")),
        ("centre", described.replace("<center>10</center>", "<center>99999</center>")),
        ("radial", described.replace("cartesian", "radial")),
        ("view", described.replace("<x>300</x>", "<x>1e-300</x>")),
    ):
        yield f"mrd_xml_{name}.mrd", made(xml)
    for field, value in (
        ("number_of_samples", 0),
        ("number_of_samples", 65535),
        ("active_channels", 0),
        ("active_channels", 65535),
        ("discard_pre", 65535),
        ("discard_post", 65535),
        ("center_sample", 65535),
        ("encoding_space_ref", 7),
        ("flags", 2**64 - 1),
        ("flags", 1 << 18),
    ):
        rows = table.copy()
        rows["head"][field] = value
        yield f"mrd_{field}_{value % 99999}.mrd", made(rows=rows)
    for field, value in (("position", np.inf), ("position", 3e38), ("read_dir", -3e38)):
        rows = table.copy()
        rows["head"][field] = value
        rows["head"]["slice_dir"][0] = value
        yield f"mrd_{field}_{value:.0e}.mrd", made(rows=rows)
    for field in ("kspace_encode_step_1", "kspace_encode_step_2", "slice", "average"):
        rows = table.copy()
        rows["head"]["idx"][field] = 65535 - np.arange(len(rows))
        yield f"mrd_{field}.mrd", made(rows=rows)
    rows = table.copy()
    rows["data"][3] = rows["data"][3][:-2]
    yield "mrd_short_readout.mrd", made(rows=rows)
    yield "mrd_packed.mrd", made(compression="gzip")
    heap = valid.index(b"GCOL")
    yield "mrd_heap_endless.mrd", put(valid, heap + 8, "Q", 2**62)
    yield "mrd_heap_object.mrd", put(valid, heap + 16 + 8, "Q", 2**62)
    yield "mrd_heap_nobody.mrd", valid.replace(b"GCOL", b"ZCOL")
    yield "mrd_no_table.mrd", write_h5(folder / "x.h5", **{"dataset/data": STACK}).read_bytes()
