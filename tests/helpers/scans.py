"""Small files of the scanners' and laboratories' own formats, written for the tests."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import ismrmrd
import ismrmrd.xsd
import nibabel
import numpy as np
import pydicom
import torch
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

IDENTITY = np.diag([2.0, 3.0, 4.0, 1.0])


def zipped(path: Path, members: dict[str, bytes], packed: bool = True) -> Path:
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def cfl(array: np.ndarray) -> dict[str, bytes]:
    """A BART pair; `array` has BART's dimensions, the first one first."""
    sizes = " ".join(map(str, array.shape + (1,) * (16 - array.ndim)))
    return {
        "scan/ksp.hdr": f"# Dimensions\n{sizes}\n".encode(),
        "scan/ksp.cfl": array.astype("<c8").tobytes("F"),
    }


def bart(path: Path, stack: np.ndarray) -> Path:
    """(S, C, H, W) as BART keeps it, slices along dimension 13."""
    array = stack.transpose(2, 3, 1, 0).reshape(*stack.shape[2:], 1, stack.shape[1], *(1,) * 9, -1)
    return zipped(path, cfl(array))


def nifti(path: Path, array: np.ndarray, affine: np.ndarray = IDENTITY) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return path


def dicom(
    array: np.ndarray,
    number: int = 1,
    position: Iterable[float] = (0, 0, 0),
    kind: str = "M",
    series: str = "1.2.3",
    slope: float = 1,
    intercept: float = 0,
    echo: float = 10,
    each: Sequence[dict[str, object]] = (),
    **more: object,
) -> bytes:
    """One DICOM file of one frame (H, W) or several (S, H, W); `each` is told of every frame."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    file = FileDataset("x", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    file.Rows, file.Columns = array.shape[-2:]
    if array.ndim == 3:
        file.NumberOfFrames = len(array)
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated = file.BitsStored = array.dtype.itemsize * 8
    file.HighBit = file.BitsStored - 1
    file.PixelRepresentation = int(array.dtype.kind == "i")
    file.InstanceNumber, file.SeriesInstanceUID = number, series
    file.ImagePositionPatient = list(position)
    file.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    file.PixelSpacing = [1.5, 2.5]
    file.ImageType = ["ORIGINAL", "PRIMARY", kind]
    file.RescaleSlope, file.RescaleIntercept = slope, intercept
    file.EchoTime = echo
    file.PatientName = "Secret^Name"
    for name, value in more.items():
        setattr(file, name, value)
    if each:
        file.PerFrameFunctionalGroupsSequence = [_group(told) for told in each]
    file.PixelData = array.tobytes()
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, file)
    return buffer.getvalue()


SEQUENCES = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "ComplexImageComponent": "MRImageFrameTypeSequence",
    "EffectiveEchoTime": "MREchoSequence",
}


def _group(told: dict[str, object]) -> Dataset:
    """A functional group, of one frame or shared by all."""
    group = Dataset()
    for name, value in told.items():
        if SEQUENCES[name] not in group:
            setattr(group, SEQUENCES[name], [Dataset()])
        setattr(group[SEQUENCES[name]][0], name, value)
    return group


def mrd(
    path: Path,
    stack: np.ndarray,
    *,
    oversampling: int = 2,
    partitions: int = 1,
    lines: np.ndarray | None = None,
    averages: int = 1,
    repetitions: int = 1,
    noise: int = 0,
    first_sample: int = 0,
    calibration: Iterable[int] = (),
    mode: str = "embedded",
    trajectory: str = "cartesian",
    field: int = 300,
    centres: np.ndarray | None = None,
    directions: np.ndarray | None = None,
    middle: int | None = None,
    short: Iterable[int] = (),
) -> Path:
    """K-space (S, C, X, Y), or (Z, C, X, Y) with `partitions`, as the ISMRMRD library writes it.

    `middle` is the line that the header calls the centre; lines that are `short` are measured once
    more for calibration, with half as many samples.

    `centres` (S, 3) of slices and `directions` (3, 3) of readout, lines and slices are as the
    heads have them: millimetres to the left, the back and the head.
    """
    count, coils, columns, width = stack.shape
    lines = np.arange(width) if lines is None else np.asarray(lines)
    calibration = set(calibration)
    fov = f"<x>{300 * oversampling}</x><y>300</y><z>{5 * partitions}</z>"
    header = f"""<?xml version="1.0"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
 <acquisitionSystemInformation><systemFieldStrength_T>1.5</systemFieldStrength_T>
 </acquisitionSystemInformation>
 <experimentalConditions><H1resonanceFrequency_Hz>63500000</H1resonanceFrequency_Hz>
 </experimentalConditions>
 <encoding>
  <encodedSpace><matrixSize><x>{columns}</x><y>{width}</y><z>{partitions}</z></matrixSize>
   <fieldOfView_mm>{fov}</fieldOfView_mm></encodedSpace>
  <reconSpace><matrixSize><x>{columns // oversampling}</x><y>{width}</y><z>{partitions}</z>
   </matrixSize><fieldOfView_mm><x>300</x><y>{field}</y><z>5</z></fieldOfView_mm></reconSpace>
  <encodingLimits>
   <kspace_encoding_step_1><minimum>0</minimum><maximum>{width - 1}</maximum>
    <center>{width // 2 if middle is None else middle}</center></kspace_encoding_step_1>
   <kspace_encoding_step_2><minimum>0</minimum><maximum>{partitions - 1}</maximum>
    <center>{partitions // 2}</center></kspace_encoding_step_2></encodingLimits>
  <trajectory>{trajectory}</trajectory>
  <parallelImaging><accelerationFactor><kspace_encoding_step_1>1</kspace_encoding_step_1>
   <kspace_encoding_step_2>1</kspace_encoding_step_2></accelerationFactor>
   <calibrationMode>{mode}</calibrationMode></parallelImaging>
 </encoding>
</ismrmrdHeader>"""
    rng = np.random.default_rng(0)
    path.unlink(missing_ok=True)
    with ismrmrd.Dataset(str(path), "dataset", create_if_needed=True) as file:
        file.write_xml_header(header.encode())

        def append(values: np.ndarray, flags: Iterable[int] = (), **counters: int) -> None:
            one = ismrmrd.Acquisition.from_array(values.astype(np.complex64))
            one.center_sample = columns // 2 - first_sample
            for flag in flags:
                one.set_flag(flag)
            for name, value in counters.items():
                setattr(one.idx, name, value)
            if centres is not None:
                one.position[:] = centres[counters.get("slice", 0)]
            if directions is not None:
                one.read_dir[:], one.phase_dir[:], one.slice_dir[:] = directions
            file.append_acquisition(one)

        for _ in range(noise):
            shape = (coils, columns - first_sample)
            append(
                3 * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)),
                [ismrmrd.ACQ_IS_NOISE_MEASUREMENT],
            )
        for line in short:
            half = stack[0, :, columns // 4 : 3 * columns // 4, line]
            append(half, [ismrmrd.ACQ_IS_PARALLEL_CALIBRATION], kspace_encode_step_1=int(line))
        for repetition in range(repetitions):
            for number in range(count):
                for line in lines:
                    for average in range(averages):
                        # Averages differ, and their mean is right.
                        change = (average - (averages - 1) / 2) * 0.5
                        flags = [ismrmrd.ACQ_IS_PARALLEL_CALIBRATION] if line in calibration else []
                        step = {"kspace_encode_step_2": number} if partitions > 1 else {}
                        append(
                            stack[number, :, first_sample:, line] * (1 + change) * (1 + repetition),
                            flags,
                            kspace_encode_step_1=int(line),
                            slice=0 if partitions > 1 else number,
                            average=average,
                            repetition=repetition,
                            **step,
                        )
    return path


def twix(
    path: Path,
    stack: np.ndarray,
    *,
    version: str = "vd",
    oversampling: float = 2,
    lines: Iterable[int] | None = None,
    averages: int = 1,
    noise: int = 0,
    partitions: int = 1,
    reverse: Iterable[int] = (),
    reference: Iterable[int] = (),
    wider: float = 0,
    field: tuple[float, float, float] = (0, 0, 0),
    protocol: str = "",
) -> Path:
    """K-space (S, C, X, Y), or (Z, C, X, Y) with `partitions`, as a scanner might write it."""
    count, coils, columns, width = stack.shape
    text = (
        f"<XProtocol>\n{protocol}\n"
        f'<ParamDouble."flReadoutOSFactor">  {{ <Precision> 6  {oversampling:.6f}  }}\n'
        f'<ParamLong."lBaseResolution">  {{ {round(columns / oversampling)}  }}\n'
        f'<ParamLong."iNoOfFourierLines">  {{ {width}  }}\n'
        f"### ASCCONV BEGIN ###\nsKSpace.ucTrajectory\t = \t1\n"
        f"sKSpace.dPhaseOversamplingForDialog\t = \t{wider}\n"
        f"sAdjData.sAdjVolume.dReadoutFOV\t = \t350\nsAdjData.sAdjVolume.dPhaseFOV\t = \t263\n"
        f"sAdjData.sAdjVolume.dThickness\t = \t350\n"
        f"sSliceArray.asSlice[0].dReadoutFOV\t = \t{field[0]}\n"
        f"sSliceArray.asSlice[0].dPhaseFOV\t = \t{field[1]}\n"
        f"sSliceArray.asSlice[0].dThickness\t = \t{field[2]}\n### ASCCONV END ###\n"
    ).encode()
    header = struct.pack("<I", 1) + b"Meas\0" + struct.pack("<I", len(text)) + text
    header += b"\0" * (-(4 + len(header)) % 32)
    if version == "vb":
        header += b"\0" * 10_016
    header = struct.pack("<I", 4 + len(header)) + header
    body = bytearray(header)
    reverse, reference = set(reverse), set(reference)
    counter = 0

    def readout(values: np.ndarray, flags: int = 0, **counters: int) -> None:
        nonlocal counter
        counter += 1
        names = ("Lin", "Ave", "Sli", "Par")
        loop = [counters.get(name, 0) for name in names] + [0] * 10
        start = struct.pack("<IiIII", 0, 1, counter, 0, 0)
        shape = struct.pack("<HH14H", values.shape[1], len(values), *loop)
        middle = struct.pack("<HHHHfIHH", 0, 0, columns // 2, 0, 0, 0, width // 2, partitions // 2)
        if version == "vd":
            head = start + struct.pack("<HHiiii", 0, 0, 0, 0, 0, 0) + struct.pack("<Q", flags)
            body.extend((head + shape + middle).ljust(192, b"\0"))
            for row in values:
                body.extend(b"\0" * 32 + row.astype("<c8").tobytes())
        else:
            head = start + struct.pack("<Q", flags) + shape + middle
            for row in values:
                body.extend(head.ljust(128, b"\0") + row.astype("<c8").tobytes())

    rng = np.random.default_rng(0)
    for _ in range(noise):
        shape = (coils, columns)
        readout(3 * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)), 1 << 25)
    for number in range(count):
        for line in range(width) if lines is None else lines:
            for average in range(averages):
                change = (average - (averages - 1) / 2) * 0.5
                values = stack[number, :, :, line] * (1 + change)
                flags = (1 << 22) * (line in reference)
                if line in reverse:
                    values, flags = values[:, ::-1], flags | 1 << 24
                where = {"Par": number} if partitions > 1 else {"Sli": number}
                readout(values, flags, Lin=line, Ave=average, **where)
    end = struct.pack("<IiIII", 0, 1, counter + 1, 0, 0)
    if version == "vd":
        body.extend((end + b"\0" * 20 + struct.pack("<Q", 1)).ljust(192, b"\0"))
        entry = struct.pack("<IIQQ64s64s", 1, 1, 10_240, len(body), b"Secret", b"gre")
        directory = struct.pack("<II", 0, 1) + entry
        path.write_bytes(directory.ljust(10_240, b"\0") + bytes(body))
    else:
        body.extend((end + struct.pack("<Q", 1)).ljust(128, b"\0"))
        path.write_bytes(bytes(body))
    return path


def bruker(
    path: Path,
    stack: np.ndarray,
    *,
    order: Iterable[int] | None = None,
    steps: Iterable[int] | None = None,
    factor: int = 1,
    repetitions: int = 1,
    job: bool = False,
    partitions: bool = False,
    stored: str = "",
) -> Path:
    """K-space (S, C, X, Y), rounded to integers, as ParaVision writes a scan.

    With `partitions` the first axis is the second phase encoding of a 3-D scan; with `stored`,
    such as "64bit_float", the numbers are what ParaVision 360 calls so.
    """
    count, coils, columns, width = stack.shape
    order = list(range(count)) if order is None else list(order)
    steps = list(range(-(width // 2), width - width // 2)) if steps is None else list(steps)
    job = job or bool(stored)
    word = np.dtype("<f8" if stored == "64bit_float" else "<i4")
    block = 2 * columns * coils * word.itemsize
    stride = block if job else -(-block // 1024) * 1024
    data = bytearray()
    places = list(np.ndindex(len(steps) // factor, count))
    if partitions:
        places.sort(key=lambda place: place[1])
    for repetition in range(repetitions):
        for group, item in places:
            for inner in range(factor):
                line = steps[group * factor + inner] + width // 2
                values = stack[order[item], :, :, line] * (1 + repetition)
                pairs = np.stack([values.real, values.imag], -1).round().astype(word)
                data.extend(pairs.tobytes().ljust(stride, b"\0"))

    def listed(values: Iterable[int]) -> str:
        values = list(values)
        lines = [" ".join(map(str, values[i : i + 20])) for i in range(0, len(values), 20)]
        return f"( {len(values)} )\n" + "\n".join(lines)

    raw = "##$GO_block_size=Standard_KBlock_Format\n##$GO_raw_data_format=GO_32BIT_SGN_INT\n"
    if stored:
        raw = f"##$ACQ_ScanPipeJobSettings=( 1 )\n(STORE_processed, STORE_{stored}, DISPLAY_none)\n"
    acqp = (
        f"##TITLE=Parameter List\n##$NI={1 if partitions else count}\n##$NR={repetitions}\n"
        f"##$ACQ_phase_factor={factor}\n##$ACQ_obj_order={listed(order)}\n##$BYTORDA=little\n"
        f"$$ @vis= x\n{raw}##END=\n"
    )
    third = (count,) if partitions else ()
    method = (
        f"##TITLE=Parameter List\n##$Method=<Bruker:FLASH>\n##$PVM_EncNReceivers={coils}\n"
        f"##$PVM_EncMatrix={listed((columns, len(steps), *third))}\n"
        f"##$PVM_Matrix={listed((columns, width, *third))}\n"
        f"##$PVM_EncSteps1={listed(steps)}\n"
        f"##$PVM_EncSteps2={listed(n - count // 2 for n in order)}\n"
        f"##$PVM_AntiAlias={listed((1, 1))}\n##END=\n"
    )
    name = "rawdata.job0" if job else "fid"
    return zipped(
        path,
        {
            f"7/{name}": bytes(data),
            "7/acqp": acqp.encode(),
            "7/method": method.encode(),
        },
    )


def tensor(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path
