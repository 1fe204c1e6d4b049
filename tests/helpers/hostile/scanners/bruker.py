"""Parameter files and raw data of ParaVision that lie."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from tests.helpers import scans
from tests.helpers.hostile.scanners.common import STACK, Made
from tests.helpers.hostile.zeros import MIB


def bruker(folder: Path) -> Made:
    """Parameter files and raw data of ParaVision."""
    with zipfile.ZipFile(scans.bruker(folder / "valid.zip", STACK * 1000)) as archive:
        valid = {name: archive.read(name) for name in archive.namelist()}

    def zipped(files: dict[str, bytes], packed: bool = True) -> bytes:
        return scans.zipped(folder / "made.zip", files, packed).read_bytes()

    def changed(name: str, old: str, new: str) -> bytes:
        text = re.sub(old, new, valid[f"7/{name}"].decode())
        return zipped({**valid, f"7/{name}": text.encode()})

    matrix = r"PVM_EncMatrix=\( 2 \)\n16 20"
    for name, new in (
        ("none", "( 2 )\n0 0"),
        ("negative", "( 2 )\n-16 -20"),
        ("huge", "( 2 )\n999999999 999999999"),
        ("four", "( 4 )\n16 20 1 1"),
        ("deep", "( 3 )\n16 20 4000"),
        ("repeated", "( 2 )\n@9999999*(16)"),
        ("endless", "( 2 )\n" + "@9999999*(1) " * 999),
        ("words", "( 2 )\nsixteen twenty"),
    ):
        yield f"bruker_matrix_{name}.zip", changed("method", matrix, f"PVM_EncMatrix={new}")
    for file, key, value in (
        ("method", "PVM_EncNReceivers", "65535"),
        ("method", "PVM_EncNReceivers", "0"),
        ("method", "Method", "<Bruker:EPI>"),
        ("acqp", "NI", "2147483647"),
        ("acqp", "NI", "0"),
        ("acqp", "NR", "999999999"),
        ("acqp", "ACQ_phase_factor", "0"),
        ("acqp", "ACQ_phase_factor", "19"),
        ("acqp", "GO_raw_data_format", "<../../etc/passwd>"),
        ("acqp", "BYTORDA", "sideways"),
    ):
        made = changed(file, rf"\$({key})=[^\n]*", rf"$\1={value}")
        yield f"bruker_{key}_{len(value)}{value[0]}.zip", made
    steps = r"PVM_EncSteps1=\( 20 \)\n"
    yield "bruker_steps.zip", changed("method", steps, "PVM_EncSteps1=( 20 )\n999999999 ")
    yield "bruker_long_text.zip", zipped({**valid, "7/method": b"##$A=1\n" * MIB})
    yield "bruker_open_text.zip", zipped({**valid, "7/method": b"##$A=( 2 )\n" + b"1 " * MIB})
    yield "bruker_cut_short.zip", zipped({**valid, "7/fid": valid["7/fid"][:-1]})
    yield "bruker_no_method.zip", zipped({k: v for k, v in valid.items() if "method" not in k})
    yield "bruker_two.zip", zipped({**valid, **{f"8{k[1:]}": v for k, v in valid.items()}})
    yield "bruker_outside.zip", zipped({f"../../{k}": v[:100] for k, v in valid.items()})
    yield "bruker_bomb.zip", zipped({**valid, "7/fid": bytes(200 * MIB)})
