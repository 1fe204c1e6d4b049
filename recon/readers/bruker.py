"""Bruker ParaVision: the folder of one scan, zipped, with ``fid``, ``acqp`` and ``method``.

Cartesian 2-D and 3-D scans of ParaVision 5, 6 (``fid``) and 360 (``rawdata.job0``). The two
parameter files are JCAMP-DX text. Raw data are integers or floats, in the order repetitions,
groups of phase-encode steps, objects (slices and echoes), steps of a group, receivers, samples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np

from recon.errors import InputError
from recon.readers import archive, readouts
from recon.readers.bounded_reading import MIB
from recon.readers.stored_array import Stored

MAX_TEXT = 4 * MIB
MAX_READOUTS = 2**21
WORDS = {
    "GO_32BIT_SGN_INT": "i4",
    "GO_16BIT_SGN_INT": "i2",
    "GO_32BIT_FLOAT": "f4",
    "STORE_32bit_signed": "i4",
    "STORE_64bit_float": "f8",
}
DATA = ("fid", "rawdata.job0")
OTHER_METHODS = ("EPI", "UTE", "ZTE", "SPIRAL", "RADIAL", "PRESS", "STEAM", "CSI", "SINGLEPULSE")

PARAMETER = re.compile(r"^##\$?(\w{1,64})=([^\n]*)\n((?:(?!##|\$\$)[^\n]*\n)*)", re.MULTILINE)


class Parameters:
    """A JCAMP-DX file of ParaVision."""

    def __init__(self, text: str) -> None:
        self._found: dict[str, tuple[str, str]] = {
            name: (first, rest) for name, first, rest in PARAMETER.findall(text)
        }

    def text(self, name: str, otherwise: str = "") -> str:
        """A value in one word."""
        first, rest = self._found.get(name, (otherwise, ""))
        return (rest if first.strip().startswith("(") and rest else first).strip().strip("<>")

    def numbers(self, name: str) -> list[int]:
        """Whole numbers, in order; none where there are none."""
        first, rest = self._found.get(name, ("", ""))
        words = (rest if rest.strip() else first).split()
        found: list[int] = []
        for word in words[:MAX_READOUTS]:
            repeated = re.fullmatch(r"@(\d{1,7})\*\((-?\d{1,7})\)", word)  # "@128*(0)"
            if repeated:
                count = min(int(repeated[1]), MAX_READOUTS)
                found += [int(repeated[2])] * count
            elif re.fullmatch(r"-?\d{1,9}", word):
                found.append(int(word))
            else:
                return []
            if len(found) > MAX_READOUTS:
                return []
        return found

    def number(self, name: str, otherwise: int = 1) -> int:
        """One whole number."""
        found = self.numbers(name)
        return found[0] if found else otherwise


@contextmanager
def opened(path: Path) -> Iterator[Stored]:
    """The scan in a zip archive.

    Raises
    ------
    InputError
        If there is more than one, or it is not Cartesian.
    """
    with archive.opened(path) as packed:
        files = {PurePosixPath(one.filename): one for one in archive.members(packed)}
        found = [name for name in files if name.name in DATA and name.parent / "acqp" in files]
        folders = {name.parent for name in found}
        if len(folders) != 1:
            raise InputError(
                f"This archive holds {len(folders)} Bruker scans; the folder of one scan, "
                f"with fid, acqp and method, is accepted."
            )
        (folder,) = folders
        if folder / "method" not in files:
            raise InputError("This Bruker scan has no file 'method'; the whole folder is accepted.")
        data = files[found[0]]
        archive.check(data)
        acqp, method = (
            Parameters(archive.content(packed, files[folder / n], MAX_TEXT).decode("latin-1"))
            for n in ("acqp", "method")
        )
        read = archive.Member(packed, data).read
        yield readouts.stored(
            _readouts(acqp, method, data.file_size, found[0].name, read), "Bruker"
        )


def _readouts(
    acqp: Parameters, method: Parameters, size: int, name: str, read: Callable[[int, int], bytes]
) -> readouts.Readouts:
    words = method.text("Method").upper()
    odd = next((one for one in OTHER_METHODS if one in words), None)
    if odd is not None:
        raise InputError(
            f"This Bruker scan is of the kind {odd}, which is not Cartesian line by line; "
            f"FLASH, RARE and the like are accepted."
        )
    matrix = method.numbers("PVM_EncMatrix")
    full = method.numbers("PVM_Matrix")
    if not 2 <= len(matrix) <= 3 or min(matrix) < 1 or max(matrix) > readouts.MAX_LINES:
        raise InputError(
            "This Bruker scan does not say how large its k-space is (PVM_EncMatrix); "
            "a 2-D or 3-D one is accepted."
        )
    antialias = (method.numbers("PVM_AntiAlias") or [1, 1])[0]
    repetitions, objects = acqp.number("NR"), acqp.number("NI")
    factor = acqp.number("ACQ_phase_factor")
    coils = method.number("PVM_EncNReceivers")
    samples, steps = matrix[0], matrix[1] * (matrix[2] if len(matrix) == 3 else 1)
    if min(repetitions, objects, factor, coils, steps) < 1 or coils > 64 or steps % factor:
        raise InputError("The counts of this Bruker scan do not agree; a finished one is accepted.")
    scans = repetitions * steps * objects
    if scans > MAX_READOUTS:
        raise InputError(
            f"This Bruker scan has {scans} readouts; up to {MAX_READOUTS} are accepted."
        )
    order = {"little": "<", "big": ">"}.get(acqp.text("BYTORDA", "little"), "<")
    jobs = re.search(r"STORE_\d+bit_\w+", acqp.text("ACQ_ScanPipeJobSettings"))  # ParaVision 360
    word = jobs[0] if jobs else acqp.text("GO_raw_data_format", "GO_32BIT_SGN_INT")
    kind = WORDS.get(word)
    if kind is None:
        raise InputError("This Bruker scan has an unusual raw data format; integers are accepted.")
    dtype = np.dtype(order + kind)
    block = 2 * samples * coils * dtype.itemsize
    stride = block
    if name == "fid" and acqp.text("GO_block_size") == "Standard_KBlock_Format":
        stride = -(-block // 1024) * 1024  # padded to whole kilobytes
    if size != scans * stride:
        raise InputError(
            f"The raw data of this Bruker scan have {size / MIB:.2f} MiB, but its parameters ask "
            f"for {scans * stride / MIB:.2f}; a complete scan is accepted."
        )

    # Place of each readout, in the order of the file.
    repetition, group, item, inner = (
        axis.ravel()
        for axis in np.indices((repetitions, steps // factor, objects, factor), dtype=np.int64)
    )
    step = group * factor + inner
    first = _encoded(method, "PVM_EncSteps1", matrix[1])
    lines = max(matrix[1], full[1] if len(full) == len(matrix) else 0)
    line = first[step % matrix[1]] + lines // 2
    depth, partition = 1, np.zeros_like(line)
    if len(matrix) == 3:
        depth = max(matrix[2], full[2] if len(full) == 3 else 0)
        second = _encoded(method, "PVM_EncSteps2", matrix[2])
        partition = second[step // matrix[1]] + depth // 2
    objects_order = acqp.numbers("ACQ_obj_order")
    if sorted(objects_order) != list(range(objects)):
        objects_order = list(range(objects))
    columns = max(samples, full[0] * antialias if full and 1 <= antialias <= 16 else 0)
    echoes = acqp.number("ACQ_n_echo_images")
    which = np.array(objects_order)[item]
    others = {"repetitions": repetition}
    if 1 < echoes <= objects and objects % echoes == 0:
        others = {"echoes": which % echoes, **others}
        which = which // echoes

    def fetch(i: int) -> np.ndarray:
        values = np.frombuffer(read(i * stride, block), dtype).reshape(coils, samples, 2)
        return values[..., 0].astype(np.complex64) + 1j * values[..., 1].astype(np.float32)

    return readouts.Readouts(
        line=line,
        partition=partition,
        slice=which,
        others=others,
        fetch=fetch,
        coils=coils,
        samples=samples,
        columns=columns,
        start=columns - samples,  # a partial echo lacks its beginning
        kept=min(columns, full[0]) if full and full[0] > 0 else columns,
        lines=lines,
        partitions=depth,
    )


def _encoded(method: Parameters, name: str, count: int) -> np.ndarray:
    """Steps of one phase-encoding axis, 0 at the centre of k-space, in the order measured."""
    found = method.numbers(name)
    if len(found) != count:
        return np.arange(count) - count // 2
    return np.array(found, np.int64)
