"""The network without a Fourier transform, as ONNX, against PyTorch."""

import numpy as np
import pytest
import torch

import recon
import train
from recon import masks, phantom
from recon.fourier import fft2c
from recon.training import export
from recon.weights import Store, WeightsError


@pytest.fixture(scope="module")
def session():
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    return onnxruntime.InferenceSession(export.onnx(Store().load("resnet-dc")))


@pytest.mark.parametrize("shape", [(64, 48), (97, 83), (80, 130)])
@pytest.mark.parametrize("acceleration", [4, 8])
def test_the_exported_network_is_the_network(session, shape, acceleration):
    mask = masks.FAMILIES["random"](shape[1], acceleration, None, 0)
    kspace = (phantom.kspace(shape) * mask).astype(np.complex64)
    values, scale = export.inputs(kspace, mask)
    out = session.run(None, values)[0][0]
    ours = (out[0] + 1j * out[1])[: shape[0], : shape[1]]
    with torch.inference_mode():
        network = Store().load("resnet-dc")
        theirs = network(torch.from_numpy(kspace)[None] / scale, torch.from_numpy(mask)[None])
    np.testing.assert_allclose(ours, theirs[0].numpy(), atol=1e-5)


@pytest.mark.parametrize("width", [8, 9, 64])
def test_the_projection_keeps_what_was_measured(width):
    rng = np.random.default_rng(0)
    mask = rng.random(width) < 0.4
    mask[width // 2] = True
    image = rng.normal(size=(5, width)) + 1j * rng.normal(size=(5, width))
    p = export.projection(mask)
    np.testing.assert_allclose(fft2c(image @ p), fft2c(image) * mask, atol=1e-12)
    np.testing.assert_allclose(p @ p, p, atol=1e-12)
    np.testing.assert_allclose(p, p.conj().T, atol=1e-12)


def test_the_command_writes_the_file(tmp_path, capsys):
    pytest.importorskip("onnx")
    out = tmp_path / "network.onnx"
    assert train.main(["export", "resnet-dc", "--out", str(out)]) == 0
    assert 1e7 < out.stat().st_size < 2e7
    assert train.main(["export", "resnet-4x", "--out", str(out)]) == 1
    assert "resnet-dc" in capsys.readouterr().err
    with pytest.raises(WeightsError):
        export.onnx(recon.from_pretrained("cnn"))
