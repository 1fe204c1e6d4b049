"""Attacks in the scanners' and laboratories' formats: fields that lie, loops, bombs, code.

Each is a valid small file in which one thing is wrong. `files` writes them all.
"""

from __future__ import annotations

import gzip
import io
import pickle
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import torch

from tests.helpers import scans
from tests.helpers.files import kspace, write_h5
from tests.helpers.hostile.zeros import MIB

Made = Iterator[tuple[str, bytes]]
STACK = kspace(2, 2, 16, 20)


def put(content: bytes, at: int, kind: str, *values: object) -> bytes:
    """A copy with other values at a place."""
    copy = bytearray(content)
    struct.pack_into("<" + kind, copy, at, *values)
    return bytes(copy)


def twix(folder: Path) -> Made:
    """Directory, headers and readouts of Siemens raw data."""
    valid = scans.twix(folder / "valid.dat", STACK, oversampling=1).read_bytes()
    start = 10_240
    first = start + struct.unpack_from("<I", valid, start)[0]
    step = 192 + 2 * (32 + 8 * 16)
    for name, at, kind, value in (
        ("count", 4, "I", 64),
        ("offset", 16, "Q", len(valid)),
        ("offset_endless", 16, "Q", 2**63),
        ("offset_into_itself", 16, "Q", 8),
        ("length", 24, "Q", 2**63),
        ("length_one", 24, "Q", 1),
        ("header_endless", start, "I", 2**32 - 1),
        ("header_none", start, "I", 0),
        ("samples_none", first + 48, "H", 0),
        ("samples_many", first + 48, "H", 65535),
        ("channels_none", first + 50, "H", 0),
        ("channels_many", first + 50, "H", 65535),
        ("line", first + 52, "H", 65535),
        ("average", first + 54, "H", 65535),
        ("slice", first + 56, "H", 65535),
        ("partition", first + 58, "H", 65535),
        ("repetition", first + 64, "H", 65535),
        ("cut", first + 80, "H", 65535),
        ("centre", first + 84, "H", 65535),
        ("all_flags", first + 40, "Q", 2**64 - 1),
        ("endless_sync", first + 40, "Q", 1 << 5),  # a block of no length follows itself
    ):
        yield f"twix_{name}.dat", put(valid, at, kind, value)
    everywhere = bytearray(valid)
    for number, at in enumerate(range(first, len(valid) - 192, step)):
        struct.pack_into("<H", everywhere, at + 56, 65535 - number)  # a slice for every readout
        struct.pack_into("<H", everywhere, at + 58, number * 1000)
    yield "twix_every_counter.dat", bytes(everywhere)
    noise = bytearray(valid)
    for at in range(first, len(valid) - 192, step):
        struct.pack_into("<Q", noise, at + 40, 1 << 25)
    yield "twix_only_noise.dat", bytes(noise)
    values = np.full((len(valid) - first) // 4, np.nan, "<f4").tobytes()
    yield "twix_nan.dat", valid[: first + 192] + values[: len(valid) - first - 192]
    yield "twix_cut_short.dat", valid[: first + step // 2]
    for name, old, new in (
        ("oversampling", rb"6  1\.000000", b"6  9" + b"9" * 7),
        ("matrix", rb"\{  16  \}", b"{ 9999 }"),
        ("lines", rb"\{  20  \}", b"{ 9999 }"),
        ("trajectory", rb"\t1\n", b"\t4\n"),
        ("blanks", rb"(?s)\{ <Precision.*", b"{" + b" " * 99),
    ):
        yield f"twix_{name}.dat", re.sub(old, lambda m, b=new: b.ljust(len(m[0]))[: len(m[0])],
                                         valid[:first]) + valid[first:]  # fmt: skip
    old = scans.twix(folder / "old.dat", STACK, version="vb", oversampling=1).read_bytes()
    first = struct.unpack_from("<I", old)[0]
    yield "twix_vb_samples.dat", put(old, first + 28, "HH", 65535, 65535)
    yield "twix_vb_sync.dat", put(put(old, first + 20, "Q", 1 << 5), first, "I", 0)


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


def nifti(folder: Path) -> Made:
    """Headers of NIfTI, and what gzip makes of them."""
    grey = np.abs(STACK[0, 0]).astype(np.float32)[:, :, None].repeat(2, 2)
    valid = scans.nifti(folder / "valid.nii", grey).read_bytes()
    for name, at, kind, values in (
        ("no_axes", 40, "h", (0,)),
        ("many_axes", 40, "h", (8,)),
        ("negative", 42, "h", (-16,)),
        ("huge", 42, "hhh", (32767, 32767, 32767)),
        ("long", 46, "h", (32767,)),
        ("no_type", 70, "h", (0,)),
        ("colour", 70, "h", (128,)),
        ("wide", 70, "h", (1536,)),
        ("wider", 70, "h", (2048,)),
        ("unknown", 70, "h", (12345,)),
        ("bits", 72, "h", (1,)),
        ("offset_nan", 108, "f", (float("nan"),)),
        ("offset_endless", 108, "f", (float("inf"),)),
        ("offset_negative", 108, "f", (-1.0,)),
        ("offset_far", 108, "f", (1e30,)),
        ("slope_nan", 112, "f", (float("nan"),)),
        ("slope_huge", 112, "f", (3e38,)),
        ("two_files", 344, "4s", (b"ni1\0",)),
        ("affine", 280, "f", (float("nan"),)),
        ("flat", 280, "12f", (0.0,) * 12),
        ("code", 254, "h", (32767,)),
    ):
        yield f"nifti_{name}.nii", put(valid, at, kind, *values)
    yield "nifti_cut_short.nii", valid[:-1]
    yield "nifti_header_alone.nii", valid[:348]
    yield "nifti_packed_short.nii.gz", gzip.compress(valid)[:-20]
    yield "nifti_packed_twice.nii.gz", gzip.compress(gzip.compress(valid))
    yield (
        "nifti_bomb.nii.gz",
        gzip.compress(put(valid, 42, "hhh", 32767, 32767, 2) + bytes(99 * MIB)),
    )
    second = bytearray(540)
    struct.pack_into("<I4s4x", second, 0, 540, b"n+2\0")
    struct.pack_into("<hh8q", second, 12, 16, 32, 3, 2**62, 2**62, 2**62, 1, 1, 1, 1)
    yield "nifti_second.nii", bytes(second) + bytes(999)
    many = {f"{n}.nii": valid[:400] for n in range(3000)}
    yield "nifti_many.zip", scans.zipped(folder / "many.zip", many).read_bytes()
    pair = {"mag.nii": valid, "phase.nii": valid[:352]}
    yield "nifti_half_a_pair.zip", scans.zipped(folder / "pair.zip", pair).read_bytes()


def dicom(folder: Path) -> Made:
    """Elements of DICOM."""
    grey = np.abs(STACK[0, 0] * 1000).astype(np.uint16)
    for name, more in (
        ("rows", {"Rows": 65535}),
        ("no_rows", {"Rows": 0}),
        ("frames", {"NumberOfFrames": 2147483647}),
        ("frames_negative", {"NumberOfFrames": -2}),
        ("bits", {"BitsAllocated": 1}),
        ("bits_many", {"BitsAllocated": 64}),
        ("bits_stored", {"BitsStored": 0}),
        ("bits_above", {"BitsStored": 32}),
        ("samples", {"SamplesPerPixel": 3}),
        ("colour", {"PhotometricInterpretation": "RGB"}),
        ("palette", {"PhotometricInterpretation": "PALETTE COLOR"}),
        ("slope", {"RescaleSlope": "1e308"}),
        ("slope_none", {"RescaleSlope": 0}),
        ("place", {"ImagePositionPatient": [1e300, 0, 0]}),
        ("flat", {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}),
        ("spacing", {"PixelSpacing": [0, -1]}),
    ):
        yield f"dicom_{name}.dcm", scans.dicom(grey, **more)
    valid = scans.dicom(grey)
    yield "dicom_cut_short.dcm", valid[:-100]
    yield "dicom_head_alone.dcm", valid[:140]
    yield "dicom_nothing_after.dcm", valid[:132]
    for name, syntax in (
        ("jpeg", b"1.2.840.10008.1.2.4.70"),
        ("deflated", b"1.2.840.10008.1.2.1.99"),
    ):
        old = b"1.2.840.10008.1.2.1\0"
        at = valid.index(old)
        made = valid[: at - 2] + struct.pack("<H", len(syntax)) + syntax + valid[at + len(old) :]
        yield f"dicom_{name}.dcm", made
    at = valid.index(b"\xe0\x7f\x10\0OW")
    yield "dicom_pixels_endless.dcm", put(valid, at + 8, "I", 0xFFFFFFFF)
    yield "dicom_pixels_few.dcm", put(valid, at + 8, "I", 2)
    yield "dicom_no_pixels.dcm", valid[:at]
    sequence = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    yield "dicom_nested.dcm", valid[:at] + sequence * 5000
    yield "dicom_element_endless.dcm", valid[:at] + b"\x08\0\x41\x11OB\0\0\xf0\xff\xff\xff"
    other = scans.dicom(grey[:, :-2], 2, series="1.2.4")
    for name, files in (
        ("two_series", {"1": valid, "2": other}),
        ("two_sizes", {"1": valid, "2": scans.dicom(grey[:, :-2], 2)}),
        ("many_frames", {"1": scans.dicom(np.array([grey, grey])), "2": valid}),
        ("text", {"1": valid, "2": b"\0" * 128 + b"DICM" + b"x" * 99}),
    ):
        yield f"dicom_{name}.zip", scans.zipped(folder / "s.zip", files).read_bytes()


def cfl(folder: Path) -> Made:
    """BART's pairs."""
    valid = scans.cfl(STACK[0].transpose(1, 2, 0)[:, :, None])
    data = valid["scan/ksp.cfl"]

    def made(header: bytes, data: bytes = data, **more: bytes) -> bytes:
        files = {"ksp.hdr": header, "ksp.cfl": data, **more}
        return scans.zipped(folder / "made.zip", files).read_bytes()

    for name, sizes in (
        ("none", ""),
        ("zero", "0 20 1 2"),
        ("negative", "-16 -20 1 2"),
        ("huge", "2147483648 " * 16),
        ("words", "sixteen 20"),
        ("many", "1 " * 4000),
        ("long", "9" * 5000),
        ("wrong", "16 20 1 3"),
        ("maps", "16 20 1 1 2"),
        ("deep", "1 1 640"),
        ("number", "16 20 1e1"),
    ):
        yield f"cfl_{name}.zip", made(f"# Dimensions\n{sizes}\n".encode())
    yield "cfl_no_word.zip", made(b"16 20 1 2\n")
    yield "cfl_long_header.zip", made(b"# Dimensions\n" + b"1 " * MIB)
    header = b"# Dimensions\n16 20 1 2\n"
    yield "cfl_nan.zip", made(header, np.full(640, np.nan, "<c8").tobytes())
    yield "cfl_bomb.zip", made(b"# Dimensions\n4096 4096 1 2\n", bytes(256 * MIB))
    yield "cfl_two.zip", made(header, **{"kmore.hdr": header, "kmore.cfl": data})
    plain = made(header)
    flags = bytearray(plain)
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        for found in re.finditer(re.escape(mark), plain):
            flags[found.start() + at] |= 1
    yield "cfl_encrypted.zip", bytes(flags)
    yield "cfl_cut_short.zip", plain[:-30]
    yield "cfl_half.cfl", data


class _Run:
    def __reduce__(self) -> tuple:
        return (exec, ("open('ran-code', 'w')",))


def pt(folder: Path) -> Made:
    """PyTorch's archives and the pickles in them."""
    buffer = io.BytesIO()
    torch.save({"kspace": torch.from_numpy(STACK)}, buffer)
    with zipfile.ZipFile(buffer) as archive:
        valid = {name: archive.read(name) for name in archive.namelist()}
    root = next(iter(valid)).split("/")[0]

    def made(text: bytes | None = None, **more: bytes) -> bytes:
        files = {**valid, **({f"{root}/data.pkl": text} if text is not None else {}), **more}
        return scans.zipped(folder / "made.zip", files, packed=False).read_bytes()

    text = valid[f"{root}/data.pkl"]
    for name, content in (
        ("code", pickle.dumps(_Run(), 2)),
        ("system", b"cos\nsystem\n(S'touch ran-code'\ntR."),
        ("builtins", b"\x80\x02cbuiltins\ngetattr\n."),
        ("endless_text", b"\x80\x04\x8d" + struct.pack("<Q", 2**63 - 1) + b"x."),
        ("endless_number", b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"1."),
        ("endless_memo", b"\x80\x02Nr\xff\xff\xff\x7f."),
        ("itself", b"\x80\x02]q\0h\0a."),
        ("deep", b"\x80\x02" + b"(" * 200_000 + b"t" * 200_000 + b"."),
        ("twice_as_long", b"\x80\x02]" + b"q\0(h\0h\0l" * 30 + b"."),
        ("nothing", b""),
        ("stop", b"."),
        ("none", b"\x80\x02N."),
        ("number", b"\x80\x02K\x05."),
        ("frame", b"\x80\x04\x95" + struct.pack("<Q", 2**63) + b"N."),
        ("extension", b"\x80\x02\x82\x01."),
        ("buffer", b"\x80\x05\x97."),
        ("shape", text.replace(b"K\x10K\x14", b"K\xffK\xff")),
        ("stride", text.replace(b"M@\x01", b"M\xff\xff")),
        ("storage", text.replace(b"ComplexFloatStorage", b"ComplexFloatNothing")),
        ("long", b"\x80\x02" + b"N0" * MIB + b"N."),
    ):
        yield f"pt_{name}.pt", made(content)
    data = f"{root}/data/0"
    yield (
        "pt_no_data.pt",
        scans.zipped(
            folder / "made.zip", {k: v for k, v in valid.items() if k != data}, packed=False
        ).read_bytes(),
    )
    yield "pt_data_short.pt", made(**{data: valid[data][:-8]})
    yield "pt_nan.pt", made(**{data: np.full(1280, np.nan, "<c8").tobytes()})
    yield "pt_order.pt", made(**{f"{root}/byteorder": b"sideways"})
    yield "pt_order_big.pt", made(**{f"{root}/byteorder": b"big"})
    yield "pt_two_lists.pt", made(**{"other/data.pkl": pickle.dumps(_Run())})
    yield "pt_old.pt", pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(_Run(), 2)


FORMATS = (twix, bruker, ismrmrd, nifti, dicom, cfl, pt)


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
