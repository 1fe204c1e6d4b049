"""PNG, JPEG and TIFF: magnitude images, from which k-space can only be simulated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from recon.errors import InputError
from recon.readers.bounded_reading import MIB, BoundedFile, Index
from recon.readers.layout import MAX_PICTURE_SIDE
from recon.readers.stored_array import MIN_SIDE, Stored
from recon.simulate import kspace_from_magnitude

FORMATS = ("PNG", "JPEG", "TIFF")
LONGEST = 320  # larger pictures are reduced: the networks were trained at such sizes
MAX_FRAMES = 512
MAX_HEADERS = 64 * MIB  # bytes that may be read before a frame is decoded
MAX_READS = 100_000  # four for a part of a PNG; of 64 MiB in parts of 8 KiB, 32,768
MAX_SCANS = 100  # of a progressive JPEG, each of which is decoded in full; 10 are usual
WIDTH_OF_TILE, HEIGHT_OF_TILE, COMPRESSION, PHOTOMETRIC, SUBSAMPLING = 322, 323, 259, 262, 530
TOO_LARGE = f"at most {MAX_PICTURE_SIDE} x {MAX_PICTURE_SIDE} pixels are accepted"
GREY = ("1", "L", "I", "I;16", "I;16B", "I;16L", "F")


@contextmanager
def opened(path: Path) -> Iterator[Stored]:
    """The frames of a picture as an array (S, H, W) of luminance.

    Raises
    ------
    InputError
        If it is too large, has too many frames or is of another format.
    """
    with (
        BoundedFile(path, total=MAX_HEADERS, calls=MAX_READS) as file,
        _open(file) as picture,
    ):
        _check_size(picture)
        if picture.format not in ("TIFF", "PNG"):
            _check_scans(file)
        frames = _count(picture)
        sideways = (5, 6, 7, 8)  # EXIF orientations that swap height and width
        # Of a TIFF, Pillow gives the size as it will be after turning.
        turned = picture.format != "TIFF" and picture.getexif().get(0x0112) in sideways
        width, height = picture.size[::-1] if turned else picture.size

        def take(index: Index) -> np.ndarray:
            picture.seek(index[0] if isinstance(index[0], int) else 0)
            _check_size(picture)  # each frame of a TIFF has its own
            _as_stored(picture)
            file.total = None
            return luminance(picture)

        yield Stored(
            f"{picture.format} picture",
            (frames, height, width),
            np.dtype(np.float32),
            take,
            letters="SHW",
            picture=True,
        )


def luminance(picture: Image.Image) -> np.ndarray:
    """Brightness of a picture the right way up: float32, shape (H, W), alpha dropped.

    Colours are weighted as in ITU-R BT.601; grey values keep their scale, 8 to 32 bit.
    """
    picture = ImageOps.exif_transpose(picture)
    grey = picture if picture.mode in GREY else picture.convert("RGB")
    return np.asarray(grey.convert("F"))


def reduced_size(height: int, width: int) -> tuple[int, int]:
    """Height and width after the longer side is brought to `LONGEST` at most.

    Raises
    ------
    InputError
        If too little is left of the shorter side.
    """
    scale = min(1.0, LONGEST / max(height, width))
    small = round(height * scale), round(width * scale)
    if min(small) < MIN_SIDE:
        raise InputError(
            f"This picture is {height} x {width}, which is too narrow; "
            f"at most {LONGEST // MIN_SIDE} times as long as wide is accepted."
        )
    return small


def simulated_kspace(image: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """K-space that a magnitude image might have had, and notes on what was done.

    Parameters
    ----------
    image
        Real, finite, shape (H, W).

    Returns
    -------
    complex64, shape (H, W), each side at most `LONGEST`; and sentences.
    """
    notes = ["K-space was simulated from an image: nothing here was measured as it is."]
    image = np.asarray(image, np.float32)
    if image.min() < 0:
        image = np.abs(image)
        notes.append("Negative values were made positive, because a magnitude has none.")
    height, width = image.shape
    small = reduced_size(height, width)
    if small != (height, width):
        # A box filter averages areas, so fine detail is not folded into coarse.
        reduced = Image.fromarray(image).resize(small[::-1], Image.Resampling.BOX)
        image = np.asarray(reduced)
        notes.append(f"The image was reduced from {height} x {width} to {small[0]} x {small[1]}.")
    return kspace_from_magnitude(image, np.random.default_rng(0)), notes


def _open(file: BoundedFile) -> Image.Image:
    try:
        return Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError:
        raise InputError(f"This picture is too large; {TOO_LARGE}.") from None


def _check_size(picture: Image.Image) -> None:
    tags = picture.tag_v2 if isinstance(picture, TiffImageFile) else {}
    sides = [*picture.size, tags.get(WIDTH_OF_TILE, 0), tags.get(HEIGHT_OF_TILE, 0)]
    if max(sides[:2]) > MAX_PICTURE_SIDE:
        raise InputError(f"This picture has {picture.size[0]} x {picture.size[1]}; {TOO_LARGE}.")
    if max(sides) > MAX_PICTURE_SIDE:
        raise InputError(f"This picture has a tile of {sides[2]} x {sides[3]}; {TOO_LARGE}.")


def _check_scans(file: BoundedFile) -> None:
    """Refuse a JPEG of very many scans; within one, this marker never stands by chance."""
    scans, position, before = 0, 0, b""
    while part := file.peek(MIB, position):
        scans += (before + part).count(b"\xff\xda")
        position, before = position + len(part), part[-1:]
    if scans > MAX_SCANS:
        raise InputError(f"This JPEG has {scans} scans; up to {MAX_SCANS} are accepted.")


def _as_stored(picture: Image.Image) -> None:
    """Let Pillow (12.3) read uncompressed YCbCr, which it takes for four bytes a pixel."""
    if not isinstance(picture, TiffImageFile):
        return
    if picture.tag_v2.get(PHOTOMETRIC) != 6 or picture.tag_v2.get(COMPRESSION, 1) != 1:
        return
    if tuple(picture.tag_v2.get(SUBSAMPLING, (2, 2))) != (1, 1):
        raise InputError(
            "The colours of this TIFF are stored coarser than its brightness; "
            "RGB or grey is accepted."
        )
    picture._mode = "YCbCr"
    picture.tile = [tile._replace(args=("YCbCr", *(tile.args or ())[1:])) for tile in picture.tile]


def _count(picture: Image.Image) -> int:
    """Frames of a TIFF; further frames of other formats (animation) are passed over."""
    if picture.format != "TIFF":
        return 1
    frames = 0
    try:
        while frames <= MAX_FRAMES:
            picture.seek(frames)
            frames += 1
    except EOFError:
        picture.seek(0)
        return frames
    raise InputError(f"This TIFF has more than {MAX_FRAMES} frames; that many are accepted.")
