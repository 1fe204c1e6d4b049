"""DICOM secondary captures: a folder with one file a slice, which say what they are.

PS3.3 A.8.1. Pixels have 16 bits and a rescale slope of their own in each file, the slice's maximum
divided by 65535, so values are right to half of that. UIDs are new, and nothing of the file that
was read is in them: no name, no date, no place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from recon.export.common import WARNING, Export, Sizes, Slice, Taker, described, whole
from recon.readers.missing import needs
from recon.version import VERSION

STEPS = 2**16 - 1


@contextmanager
def opened(path: Path, slices: int) -> Iterator[Taker]:
    """A folder for the slices of one volume.

    Raises
    ------
    InputError
        If pydicom is not installed.
    """
    pydicom = needs("pydicom", "Writing DICOM files")
    sizes = Sizes(slices)
    study, series = (pydicom.uid.generate_uid(prefix=None) for _ in range(2))
    with whole(path) as unfinished:
        unfinished.mkdir()

        def take(slice_: Slice) -> None:
            number = sizes.next(slice_.image.shape) + 1
            one = _capture(pydicom, slice_)
            one.StudyInstanceUID, one.SeriesInstanceUID, one.InstanceNumber = study, series, number
            one.save_as(unfinished / f"{number:04}.dcm", enforce_file_format=True)

        yield take
        sizes.check()


def _capture(pydicom: Any, slice_: Slice) -> Any:
    from pydicom.dataset import Dataset, FileMetaDataset

    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    one.SOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    one.SOPInstanceUID = pydicom.uid.generate_uid(prefix=None)
    for empty in (
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
        "StudyID", "AccessionNumber", "ReferringPhysicianName", "SeriesNumber", "Laterality",
        "PatientOrientation",
    ):  # fmt: skip
        setattr(one, empty, None)
    one.Modality, one.ConversionType = "OT", "WSD"
    one.Manufacturer, one.SoftwareVersions = "recon", VERSION
    one.ImageType = ["DERIVED", "SECONDARY"]
    one.StudyDescription = WARNING
    one.SeriesDescription = described(slice_)[:64]
    one.DerivationDescription = (
        f"{described(slice_)}. Reconstructed from {slice_.measured} of "
        f"{slice_.lines} lines of k-space by research software."
    )
    one.ImageComments = f"{WARNING}. For research and teaching."
    one.PatientIdentityRemoved, one.DeidentificationMethod = "YES", "Nothing was taken over"
    one.BurnedInAnnotation = "NO"
    _set_pixels(pydicom, one, slice_)
    return one


def _set_pixels(pydicom: Any, one: Any, slice_: Slice) -> None:
    text = pydicom.valuerep.format_number_as_ds
    slope = text(float(slice_.image.max()) / STEPS or 1.0)
    # As it is written, its last digits rounded, so that it gives the same values when read.
    values = np.round(slice_.image.astype(np.float64) / float(slope))
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.Rows, one.Columns = slice_.image.shape
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 0
    one.RescaleSlope, one.RescaleIntercept, one.RescaleType = slope, "0", "US"
    white = float(np.percentile(slice_.image, 99.9)) or 1.0
    one.WindowCenter, one.WindowWidth = text(white / 2), text(white)
    if slice_.spacing is not None:
        one.PixelSpacing = [text(float(size)) for size in slice_.spacing[:2]]
    one.PixelData = np.clip(values, 0, STEPS).astype("<u2").tobytes()


DICOM = Export("dicom", "DICOM, secondary captures (.dcm)", "-dicom", opened)
