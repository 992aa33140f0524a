"""The choice of device, threads and precision."""

import time
from typing import Any

import pytest
import scipy.linalg  # noqa: F401
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from ganvae.config import ComputeConfig
from ganvae.core import compute
from ganvae.core.compute import Machine
from ganvae.core.errors import ConfigError


def config(**changes: Any) -> ComputeConfig:
    values: dict[str, Any] = {"device": "cpu", "threads": 1, "precision": "auto"}
    return ComputeConfig(**(values | changes))


def test_scipy_uses_as_many_threads_as_torch() -> None:
    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with threadpool_limits(2, user_api="blas"):
        assert threads() == {2}
        compute.use(config(threads=1))
        assert threads() == {1}


def test_fp32_matmul_keeps_full_precision() -> None:
    compute.use(config())
    a, b = (torch.randn(300, 300) for _ in range(2))
    exact = a.double() @ b.double()
    assert (a @ b - exact).abs().max() < 1e-4
    assert (torch.nn.functional.linear(a, b.T) - exact).abs().max() < 1e-4


def test_onednn_is_not_used_if_it_rounds_to_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = torch.Tensor.__matmul__

    def rounding(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        if a.dtype == torch.float32:
            a, b = a.bfloat16().float(), b.bfloat16().float()
        return exact(a, b)

    monkeypatch.setattr(torch.Tensor, "__matmul__", rounding)
    compute.use(config())
    matmul: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    assert matmul.fp32_precision == "none"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_explicit_precision_is_used_without_a_benchmark(
    precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "_bf16_pays", None)
    assert compute.use_to_train(config(precision=precision)) == Machine("cpu", precision)


def test_bf16_without_hardware_support_gives_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compute, "_has_bf16", lambda device: False)
    compute.use_to_train(config(precision="bf16"))
    assert "warning: compute.precision is 'bf16'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("supported", "faster", "expected"),
    [(True, True, "bf16"), (True, False, "fp32"), (False, True, "fp32")],
)
def test_auto_chooses_bf16_if_supported_and_faster(
    supported: bool, faster: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "_has_bf16", lambda device: supported)
    monkeypatch.setattr(compute, "_bf16_pays", lambda: faster)
    assert compute.use_to_train(config()).precision == expected


def test_the_benchmark_compares_run_times(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {torch.float32: 2.0, torch.bfloat16: 1.0}

    class Timer:
        def __init__(self, statement: str, globals: dict[str, Any], **options: Any) -> None:
            assert options["timer"] is time.process_time  # other programs do not count
            self.mean = times[globals["images"].dtype]

        def timeit(self, number: int) -> "Timer":
            return self

    monkeypatch.setattr(compute, "Timer", Timer)
    assert compute._bf16_pays()
    times[torch.bfloat16] = 3.0
    assert not compute._bf16_pays()


def test_training_flushes_denormal_numbers_to_zero() -> None:
    compute.use_to_train(config())
    assert torch.tensor(1e-38).mul(0.01) == 0


def test_convolutions_on_a_gpu_keep_full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, "fp32_precision", "tf32")
    assert compute.use(config(device="cuda")) == "cuda"
    assert torch.backends.cudnn.conv.fp32_precision == "ieee"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_missing_gpu_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"compute\.device is 'cuda'"):
        compute.use(config(device="cuda"))
