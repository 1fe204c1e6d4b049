"""Files that attack their reader, and a probe that reads them and reports its own memory.

Run as ``python -m tests.helpers.hostile probe|fuzz FOLDER [COUNT]``; prints JSON.
"""

from __future__ import annotations

import json
import resource
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from tests.helpers import files

SECRET = b"secret-" * 4096
MIB = 2**20


def _secret(folder: Path) -> Path:
    """Another file of the machine that an attacker wants; its bytes make valid k-space."""
    path = folder.parent / f"{folder.name}-secret.bin"
    path.write_bytes(SECRET)
    return path


def _zeros(mebibytes: int) -> bytes:
    """A raw deflate stream of zeros; its blocks are all alike, so it is quickly made."""
    pack = zlib.compressobj(9, wbits=-15)
    block = pack.compress(bytes(4 * MIB)) + pack.flush(zlib.Z_FULL_FLUSH)
    return block * (mebibytes // 4) + b"\x03\x00"


def _zlib_zeros(mebibytes: int) -> bytes:
    adler = (mebibytes * MIB % 65521) << 16 | 1
    return b"\x78\xda" + _zeros(mebibytes) + struct.pack(">I", adler)


def external_storage(folder: Path) -> None:
    with h5py.File(folder / "external_storage.h5", "w") as file:
        external = [(str(_secret(folder)), 0, 16384)]
        file.create_dataset("kspace", (2, 32, 32), "c8", external=external)


def _other(folder: Path) -> Path:
    """Another HDF5 file of the machine."""
    path = folder.parent / f"{folder.name}-secret.h5"
    with h5py.File(path, "w") as other:
        other["x"] = files.kspace()[:, 0]
        other["group/data"] = files.kspace()[:, 0]
    return path


def virtual_dataset(folder: Path) -> None:
    layout = h5py.VirtualLayout((5, 24, 32), "c8")
    layout[:] = h5py.VirtualSource(str(_other(folder)), "x", (5, 24, 32))
    with h5py.File(folder / "virtual_dataset.h5", "w") as file:
        file.create_virtual_dataset("kspace", layout)


def external_link(folder: Path) -> None:
    with h5py.File(folder / "external_link.h5", "w") as file:
        file["kspace"] = h5py.ExternalLink(str(_other(folder)), "x")


def external_mask(folder: Path) -> None:
    with h5py.File(folder / "external_mask.h5", "w") as file:
        file["kspace"] = files.kspace()
        file["mask"] = h5py.ExternalLink(str(_other(folder)), "x")


def external_group(folder: Path) -> None:
    with h5py.File(folder / "external_group.h5", "w") as file:
        file["dataset"] = h5py.ExternalLink(str(_other(folder)), "group")


def soft_link(folder: Path) -> None:
    with h5py.File(folder / "soft_link.h5", "w") as file:
        file["hidden"] = files.kspace()
        file["kspace"] = h5py.SoftLink("/hidden")


def v73_external_link(folder: Path) -> None:
    path = files.write_mat73(folder / "v73_external_link.mat", other=np.ones((3, 3)))
    with h5py.File(path, "r+") as file:
        file["kspace"] = h5py.ExternalLink(str(_other(folder)), "x")


def declared_only(folder: Path) -> None:
    with h5py.File(folder / "declared_only.h5", "w") as file:
        file.create_dataset("kspace", (1, 200_000, 200_000), "c8", chunks=(1, 512, 512))


def declared_small_sides(folder: Path) -> None:
    """As large as is accepted, and nothing stored."""
    with h5py.File(folder / "declared_small_sides.h5", "w") as file:
        file.create_dataset("kspace", (1000, 4, 2048, 2048), "c8", chunks=(1, 1, 512, 512))


def gzip_bomb(folder: Path) -> None:
    with h5py.File(folder / "gzip_bomb.h5", "w") as file:
        found = file.create_dataset(
            "kspace", (64, 1024, 1024), "c8", chunks=(1, 1024, 1024), compression="gzip"
        )
        packed = zlib.compress(bytes(8 * MIB), 9)
        for number in range(64):
            found.id.write_direct_chunk((number, 0, 0), packed)


def lying_chunk(folder: Path) -> None:
    """A chunk of 0.5 MiB that unpacks to 512 MiB inside libhdf5."""
    packed = _zlib_zeros(512)
    with h5py.File(folder / "lying_chunk.h5", "w") as file:
        found = file.create_dataset(
            "kspace", (1, 256, 256), "c8", chunks=(1, 256, 256), compression="gzip"
        )
        found.id.write_direct_chunk((0, 0, 0), packed)


def huge_chunk(folder: Path) -> None:
    with h5py.File(folder / "huge_chunk.h5", "w") as file:
        found = file.create_dataset(
            "kspace",
            (1, 64, 64),
            "c8",
            chunks=(1, 8192, 8192),
            maxshape=(None, None, None),
            compression="gzip",
        )
        found.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(MIB)))


def huge_attribute(folder: Path) -> None:
    with h5py.File(folder / "huge_attribute.h5", "w") as file:
        file["kspace"] = files.kspace()
        file.attrs["acquisition"] = "x" * (48 * MIB)


def wide_compound(folder: Path) -> None:
    """Two floats, and a gap between them."""
    wide = np.dtype(
        {"names": ["real", "imag"], "formats": ["f4", "f4"], "offsets": [0, 60], "itemsize": 64}
    )
    with h5py.File(folder / "wide_compound.h5", "w") as file:
        file["kspace"] = np.ones((1, 64, 64), wide)


def odd_floats(folder: Path) -> None:
    """Floats with another exponent bias: h5py widens them past the end of its buffer."""
    odd = h5py.h5t.IEEE_F32LE.copy()
    odd.set_ebias(255)
    pair = h5py.h5t.create(h5py.h5t.COMPOUND, 8)
    pair.insert(b"r", 0, odd)
    pair.insert(b"i", 4, h5py.h5t.IEEE_F32LE)
    with h5py.File(folder / "odd_floats.h5", "w") as file:
        space = h5py.h5s.create_simple((2, 16, 20))
        h5py.h5d.create(file.id, b"kspace", pair, space)


def endless_heap(folder: Path) -> None:
    """The free space of the heap has no length, and libhdf5 never gets past it."""
    path = folder / "endless_heap.h5"
    files.write_h5(path, {"acquisition": "CORPD_FBK"}, kspace=files.kspace())
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    text = content.index(b"CORPD_FBK", heap)
    struct.pack_into("<HHIQ", content, text + 16, 0, 0, 0, 0)
    path.write_bytes(content)


def _npy_header(shape: tuple[int, ...], dtype: str = "<c8") -> bytes:
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode()


def npy_declares(folder: Path) -> None:
    path = folder / "npy_declares.npy"
    path.write_bytes(_npy_header((200_000, 200_000)).ljust(228, b"\0"))


def npy_long_header(folder: Path) -> None:
    head = b"\x93NUMPY\2\0" + struct.pack("<I", 2**32 - 1)
    (folder / "npy_long_header.npy").write_bytes(head + b"(" * 100_000)


def npy_deep_header(folder: Path) -> None:
    head = b"\x93NUMPY\1\0" + struct.pack("<H", 9000)
    (folder / "npy_deep_header.npy").write_bytes(head + b"(" * 9000)


class _Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def npy_pickle(folder: Path) -> None:
    bomb = np.array([_Touch(folder / "ran-code")], dtype=object)
    np.save(folder / "npy_pickle.npy", bomb, allow_pickle=True)


def npz_pickle(folder: Path) -> None:
    bomb = np.array([_Touch(folder / "ran-code")], dtype=object)
    np.savez(folder / "npz_pickle.npz", kspace=bomb)


def _npz(path: Path, claimed: int | None = None) -> None:
    """One array of 1 GiB of zeros; the directory may claim another size."""
    header = _npy_header((128, 1024, 1024))
    size = len(header) + 1024 * MIB
    pack = zlib.compressobj(9, wbits=-15)
    data = pack.compress(header) + pack.flush(zlib.Z_FULL_FLUSH) + _zeros(1024)
    fields = (8, 0, 0, 0, len(data), claimed or size, 10)  # no checksum: nobody gets so far
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, *fields, 0) + b"kspace.npy"
    entry = (
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, *fields, *[0] * 4, 0, 0) + b"kspace.npy"
    )
    start = len(local) + len(data)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry), start, 0)
    path.write_bytes(local + data + entry + end)


def npz_bomb(folder: Path) -> None:
    _npz(folder / "npz_bomb.npz")


def npz_lying_sizes(folder: Path) -> None:
    """The bomb again, but the directory claims a modest size."""
    _npz(folder / "npz_lying_sizes.npz", claimed=15 * MIB)


def npz_many_names(folder: Path) -> None:
    """A directory of 200,000 names."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", *[0] * 4, *[0] * 4, 0, 0, 0, 5, *[0] * 4, 0, 0)
    directory = (entry + b"a.npy") * 200_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)
    (folder / "npz_many_names.npz").write_bytes(b"PK\3\4" + directory + end)


def zip_in_disguise(folder: Path) -> None:
    for suffix in ("npy", "npz", "h5", "mat", "png"):
        with zipfile.ZipFile(folder / f"zip_in_disguise.{suffix}", "w") as archive:
            archive.writestr("word/document.xml", "<text/>" * 100)


def _mat5(shape: tuple[int, ...], real: int, packed: bool = True) -> bytes:
    """A complex double variable; `real` bytes of zeros claimed for each part."""
    size = int(np.prod(shape)) * 8 if real < 0 else real
    head = struct.pack("<4I", 6, 8, 6 | 0x800, 0)
    dims = struct.pack("<2I", 5, 4 * len(shape)) + struct.pack(f"<{len(shape)}i", *shape)
    dims += b"\0" * (-len(dims) % 8)
    head += dims + struct.pack("<2I", 1, 6) + b"kspace\0\0"
    pack = zlib.compressobj(6)
    out = [pack.compress(struct.pack("<2I", 14, min(2**32 - 1, len(head) + 16 + 2 * size)) + head)]
    for _ in range(2):
        out.append(pack.compress(struct.pack("<2I", 9, size)))
        out += [pack.compress(bytes(min(MIB, size - at))) for at in range(0, size, MIB)]
    body = b"".join(out) + pack.flush()
    text = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    return text + struct.pack("<2I", 15, len(body)) + body


def mat_zeros(folder: Path) -> None:
    (folder / "mat_zeros.mat").write_bytes(_mat5((4096, 4096), -1))


def mat_zeros_within_limits(folder: Path) -> None:
    (folder / "mat_zeros_within_limits.mat").write_bytes(_mat5((1024, 1024, 16), -1))


def mat_declares(folder: Path) -> None:
    (folder / "mat_declares.mat").write_bytes(_mat5((2**30, 2**30, 2), 64))


def mat_many_variables(folder: Path) -> None:
    text = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    (folder / "mat_many_variables.mat").write_bytes(text + struct.pack("<2I", 1, 0) * 500_000)


def _png(path: Path, width: int, height: int, *chunks: tuple[bytes, bytes]) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    rows = zlib.compressobj(9)
    image = b"".join(rows.compress(bytes(MIB)) for _ in range(64)) + rows.flush()
    content = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 6, 0, 0, 0))
    content += b"".join(chunk(*one) for one in chunks)
    content += chunk(b"IDAT", image) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def png_bomb(folder: Path) -> None:
    _png(folder / "png_bomb.png", 50_000, 50_000)
    _png(folder / "png_bomb_smaller.png", 8192, 8192)


def png_text_bomb(folder: Path) -> None:
    text = b"a\0\0" + _zlib_zeros(256)
    _png(folder / "png_text_bomb.png", 64, 64, (b"zTXt", text))


def tiff_tags(folder: Path) -> None:
    """5,000 tags that all claim the same 2 MiB."""
    count, size = 5000, 2 * MIB
    tags = b"".join(struct.pack("<HHII", 700 + n, 1, size, 8) for n in range(count))
    body = struct.pack("<H", count) + tags + struct.pack("<I", 0)
    head = b"II*\0" + struct.pack("<I", 8 + size)
    (folder / "tiff_tags.tif").write_bytes(head + bytes(size) + body)


def tiff_frames(folder: Path) -> None:
    """20,000 directories, one after the other."""
    tags = [(256, 3, 1, 64), (257, 3, 1, 64), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    tags += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, 64), (279, 4, 1, 4096)]
    entry = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    start, step, count = 8 + 4096, len(entry) + 4, 20_000
    content = b"II*\0" + struct.pack("<I", start) + bytes(4096)
    content += b"".join(
        entry + struct.pack("<I", start + (n + 1) * step if n + 1 < count else 0)
        for n in range(count)
    )
    (folder / "tiff_frames.tif").write_bytes(content)


ATTACKS: tuple[Callable[[Path], None], ...] = (
    external_storage, virtual_dataset, external_link, external_mask, external_group, soft_link,
    v73_external_link, declared_only, declared_small_sides, gzip_bomb, lying_chunk, huge_chunk,
    huge_attribute, wide_compound, odd_floats, endless_heap, npy_declares, npy_long_header,
    npy_deep_header, npy_pickle, npz_pickle, npz_bomb, npz_lying_sizes, npz_many_names,
    zip_in_disguise, mat_zeros, mat_zeros_within_limits, mat_declares,
    mat_many_variables, png_bomb, png_text_bomb, tiff_tags, tiff_frames,
)  # fmt: skip


def peak() -> float:
    """Largest resident memory of this process so far, in MiB.

    Not ``ru_maxrss`` where there is a choice: on Linux a child starts with its parent's, which
    hides everything below that.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def outcome(path: Path) -> str:
    """The sentence a file is refused with, "read", or "ESCAPED: ..." for another exception."""
    from recon.kspace import InputError
    from recon.readers import describe, read

    try:
        describe(path)
        read(path)
    except InputError as error:
        return str(error)
    except BaseException as error:
        return f"ESCAPED: {error!r}"
    return "read"


def probe(folder: Path) -> dict:
    """Read every attack; report sentences and how far memory rose above reading valid files."""
    for path in files.one_of_each(folder.parent / "valid"):
        assert outcome(path) == "read", path
    idle = peak()
    found = {}
    for path in sorted(folder.iterdir()):
        sentence = outcome(path)
        found[path.name] = {"sentence": sentence, "rise": peak() - idle}
    control = np.ones(300 * MIB // 8)  # shows that the gauge moves
    found["control"] = {"sentence": f"{control.size}.", "rise": peak() - idle}
    return found


def fuzz(folder: Path, count: int, seed: int = 0) -> dict:
    """Read damaged copies of valid files; report how each kind ended."""
    rng = np.random.default_rng(seed)
    idle = peak()
    found: dict[str, dict] = {}
    for path in files.one_of_each(folder / "valid"):
        content = path.read_bytes()
        ends = {"read": 0, "refused": 0}
        for number in range(count):
            damaged = bytearray(content)
            # Headers are where damage is interesting; half of it goes there.
            reach = len(damaged) if number % 2 else min(len(damaged), 1024)
            for _ in range(rng.integers(1, 6)):
                damaged[rng.integers(reach)] = rng.choice([0, 1, 0x7F, 0xFF, rng.integers(256)])
            if number % 4 == 3:
                del damaged[rng.integers(len(damaged)) :]
            copy = folder / f"damaged{path.suffix}"
            copy.write_bytes(damaged)
            end = outcome(copy)
            if end.startswith("ESCAPED"):
                ends[end] = ends.get(end, 0) + 1
            else:
                ends["read" if end == "read" else "refused"] += 1
        found[path.name] = {**ends, "rise": peak() - idle}
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    if sys.argv[1] == "probe":
        print(json.dumps(probe(folder)))
    else:
        seed = int(sys.argv[4]) if len(sys.argv) > 4 else 0
        print(json.dumps(fuzz(folder, int(sys.argv[3]), seed)))
