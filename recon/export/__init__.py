"""Results to files: one module for each kind of file, and one table of them.

An `Export` is opened for a volume and given its slices one by one, so that memory does not grow
with their number. A file has its name only once it is whole.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from recon.errors import InputError
from recon.export import dicom, fastmri, nifti, numpy_file
from recon.export.common import Export, Slice
from recon.pipeline import Reconstruction

__all__ = ["EXPORTS", "Export", "Slice", "opened", "packed"]

EXPORTS = {one.name: one for one in (fastmri.H5, numpy_file.NPY, nifti.NII, dicom.DICOM)}


@contextmanager
def opened(
    names: Sequence[str], folder: Path, stem: str, slices: int
) -> Iterator[Callable[[Reconstruction | Slice], None]]:
    """Files for the slices of one volume by one method.

    Parameters
    ----------
    names
        Keys of `EXPORTS`.
    folder
        Where they go; it is made.
    stem
        Their name without its ending.
    slices
        How many will come.

    Yields
    ------
    A function that takes one slice after another, in order. The files are there when all were
    taken; after an error none is left.

    Raises
    ------
    InputError
        If there is no such kind or no slice, a library is missing, or slices differ in size.
    """
    for name in names:
        if name not in EXPORTS:
            raise InputError(f"Results are saved as {', '.join(EXPORTS)}; not as '{name}'.")
    if slices < 1:
        raise InputError("There is no slice to save; a volume of one at least is accepted.")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        kinds = [EXPORTS[name] for name in dict.fromkeys(names)]
        takers = [
            stack.enter_context(kind.opened(folder / (stem + kind.suffix), slices))
            for kind in kinds
        ]

        def take(result: Reconstruction | Slice) -> None:
            one = result if isinstance(result, Slice) else Slice.of(result)
            for taker in takers:
                taker(one)

        yield take


def packed(results: Iterable[Reconstruction], name: str) -> tuple[str, bytes]:
    """One file to send: its suffix and its content; a folder becomes a zip archive.

    Parameters
    ----------
    results
        Slices of one volume.
    name
        A key of `EXPORTS`.

    Raises
    ------
    InputError
        See `opened`.
    """
    results = list(results)
    with tempfile.TemporaryDirectory() as folder:
        with opened([name], Path(folder), "reconstruction", len(results)) as take:
            for result in results:
                take(result)
        (made,) = Path(folder).iterdir()
        if made.is_file():
            return made.suffix, made.read_bytes()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as pack:
            for one in sorted(made.iterdir()):
                pack.write(one, f"{made.name}/{one.name}")
        return ".zip", buffer.getvalue()
