"""The user's own extractor: a tiny TorchScript module with the call signature of Inception."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from conftest import stripes
from ganvae.config import InceptionConfig
from ganvae.core.errors import DataError
from ganvae.core.files import sha256
from ganvae.evaluation.inception import Inception


class Tiny(nn.Module):
    """Takes uint8 N x 3 x H x W and returns features on request, like NVIDIA's Inception file."""

    def forward(self, images: Tensor, return_features: bool = False) -> Tensor:
        assert images.dtype == torch.uint8
        assert images.shape[1] == 3
        features = images.to(torch.float32).mean(dim=[2]).flatten(1)[:, :12]
        return features if return_features else features.softmax(dim=1)


@pytest.fixture
def config(tmp_path: Path) -> InceptionConfig:
    path = tmp_path / "tiny.pt"
    torch.jit.script(Tiny()).save(str(path))
    return InceptionConfig(file=str(path), sha256=sha256(path))


def test_grey_images_get_three_channels_and_any_batch_gives_the_same(
    config: InceptionConfig,
) -> None:
    images = stripes(20)[0]
    extractor = Inception(config)
    features = extractor(images, batch_size=20)
    assert features.shape == (20, 12)
    expected = images.float().mean(dim=2).flatten(1)[:, :12]
    torch.testing.assert_close(features, expected)
    assert torch.equal(extractor(images, batch_size=7), features)
    colour = images.expand(-1, 3, -1, -1)
    assert torch.equal(extractor(colour), features)


def test_a_file_with_another_checksum_is_refused(config: InceptionConfig) -> None:
    with pytest.raises(DataError, match=f"is {config.sha256}, and .*sha256 is {'0' * 64}"):
        Inception(config.model_copy(update={"sha256": "0" * 64}))
    with pytest.raises(DataError, match="there is no such file"):
        Inception(config.model_copy(update={"file": "nowhere.pt"}))
    Path(config.file).write_text("not a network")
    named = InceptionConfig(file=config.file, sha256=sha256(Path(config.file)))
    with pytest.raises(DataError, match="not a TorchScript file"):
        Inception(named)


def test_a_url_is_downloaded_once_and_verified(
    config: InceptionConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    source = Path(config.file)
    at_url = config.model_copy(update={"file": source.as_uri()})
    images = stripes(5)[0]
    expected = Inception(config)(images)
    assert torch.equal(Inception(at_url)(images), expected)
    source.unlink()
    assert torch.equal(Inception(at_url)(images), expected), "from the cache"
    with pytest.raises(DataError, match=r"evaluation\.inception\.file is .* cannot be downloaded"):
        Inception(at_url.model_copy(update={"sha256": "1" * 64}))


class NoFeatures(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.to(torch.float32).mean(dim=[2, 3])


class NotFinite(nn.Module):
    def forward(self, images: Tensor, return_features: bool = False) -> Tensor:
        return torch.log(images.to(torch.float32).mean(dim=[2, 3]) - 1000)


class NoRows(nn.Module):
    def forward(self, images: Tensor, return_features: bool = False) -> Tensor:
        return images.to(torch.float32)


class Pair(nn.Module):
    def forward(self, images: Tensor, return_features: bool = False) -> tuple[Tensor, Tensor]:
        rows = images.to(torch.float32).mean(dim=[2, 3])
        return rows, rows


class Number(nn.Module):
    def forward(self, images: Tensor, return_features: bool = False) -> Tensor:
        return images.to(torch.float32).mean()


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            NoFeatures(),
            r"fails \(.*takes uint8 images of shape N x 3 x H x W and .*return_features=True",
        ),
        (
            NotFinite(),
            r"finite numbers per image: for 20 images, its output is \(20, 3\)",
        ),
        (NoRows(), "one row of finite numbers per image"),
        (Pair(), "one row of finite numbers per image: .* its output is <class 'tuple'>"),
        (Number(), r"one row of finite numbers per image: .* its output is \(\)"),
    ],
)
def test_a_network_with_another_interface_is_refused(
    tmp_path: Path, network: nn.Module, message: str
) -> None:
    path = tmp_path / "other.pt"
    torch.jit.script(network).save(str(path))
    extractor = Inception(InceptionConfig(file=str(path), sha256=sha256(path)))
    with pytest.raises(DataError, match=message):
        extractor(stripes(20)[0])
