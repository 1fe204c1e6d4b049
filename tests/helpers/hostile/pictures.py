"""Attacks in pictures."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers.hostile.zeros import MIB, zlib_zeros


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
    text = b"a\0\0" + zlib_zeros(256)
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


def png_text_chunks(folder: Path) -> None:
    """500,000 remarks."""
    remark = struct.pack(">I", 3) + b"tEXta\0b" + struct.pack(">I", zlib.crc32(b"tEXta\0b"))
    path = folder / "png_text_chunks.png"
    _png(path, 64, 64)
    content = path.read_bytes()
    path.write_bytes(content[:33] + remark * 500_000 + content[33:])


def jpeg_scans(folder: Path) -> None:
    """A progressive JPEG whose last scan comes 5,000 times."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (2048, 2048), np.uint8)
    Image.fromarray(noise // 128).save(buffer, "JPEG", progressive=True, quality=1)
    content = buffer.getvalue()
    last = content.rindex(b"\xff\xda")
    scan = content[last : last + 10] + b"\0" * 32
    (folder / "jpeg_scans.jpg").write_bytes(content[:-2] + scan * 5000 + content[-2:])


def _tiff(path: Path, tags: list[tuple[int, int, int, int]], content: bytes = b"") -> None:
    """Numbers and values of tags, in one directory."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    head = b"II*\0" + struct.pack("<I", 8 + len(content)) + content
    path.write_bytes(head + struct.pack("<H", len(tags)) + entries + bytes(4))


def tiff_tile(folder: Path) -> None:
    """A picture of 64 x 64, in one tile of 2 GiB."""
    side = 46_336
    tags = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1)]
    tags += [
        (277, 3, 1, 1),
        (322, 4, 1, side),
        (323, 4, 1, side),
        (324, 4, 1, 8),
        (325, 4, 1, 4096),
    ]
    _tiff(folder / "tiff_tile.tif", tags, zlib.compress(bytes(2**20)).ljust(4096, b"\0"))


def tiff_samples(folder: Path) -> None:
    """Thousands of samples a pixel."""
    tags = [(256, 4, 1, 4096), (257, 4, 1, 4096), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1)]
    tags += [(277, 3, 1, 60_000), (278, 4, 1, 4096), (273, 4, 1, 8), (279, 4, 1, 4096)]
    _tiff(folder / "tiff_samples.tif", tags, zlib.compress(bytes(2**20)).ljust(4096, b"\0"))


ATTACKS: tuple[Callable[[Path], None], ...] = (
    png_bomb,
    png_text_bomb,
    tiff_tags,
    tiff_frames,
    png_text_chunks,
    jpeg_scans,
    tiff_tile,
    tiff_samples,
)
