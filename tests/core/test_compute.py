"""Device, threads and precision."""

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


def test_scipy_takes_as_many_threads_as_torch() -> None:
    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with threadpool_limits(2, user_api="blas"):
        assert threads() == {2}
        compute.use(config(threads=1))
        assert threads() == {1}


def test_fp32_matmul_stays_fp32_whatever_multiplies() -> None:
    compute.use(config())
    a, b = (torch.randn(300, 300) for _ in range(2))
    exact = a.double() @ b.double()
    assert (a @ b - exact).abs().max() < 1e-4
    assert (torch.nn.functional.linear(a, b.T) - exact).abs().max() < 1e-4


def test_a_multiplication_that_rounds_to_bf16_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = torch.Tensor.__matmul__

    def rounding(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        if a.dtype == torch.float32:
            a, b = a.bfloat16().float(), b.bfloat16().float()
        return honest(a, b)

    monkeypatch.setattr(torch.Tensor, "__matmul__", rounding)
    compute.use(config())
    matmul: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    assert matmul.fp32_precision == "none"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_precision_that_is_given_is_taken_without_a_probe(
    precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "_bf16_pays", None)
    assert compute.use_to_train(config(precision=precision)) == Machine("cpu", precision)


def test_bf16_without_hardware_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compute, "_has_bf16", lambda device: False)
    compute.use_to_train(config(precision="bf16"))
    assert "warning: compute.precision = 'bf16'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("has", "pays", "expected"),
    [(True, True, "bf16"), (True, False, "fp32"), (False, True, "fp32")],
)
def test_auto_takes_bf16_where_it_is_there_and_pays(
    has: bool, pays: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "_has_bf16", lambda device: has)
    monkeypatch.setattr(compute, "_bf16_pays", lambda: pays)
    assert compute.use_to_train(config()).precision == expected


def test_the_probe_goes_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {torch.float32: 2.0, torch.bfloat16: 1.0}

    class Timer:
        def __init__(self, statement: str, globals: dict[str, Any], num_threads: int) -> None:
            self.mean = times[globals["images"].dtype]

        def timeit(self, number: int) -> "Timer":
            return self

    monkeypatch.setattr(compute, "Timer", Timer)
    assert compute._bf16_pays()
    times[torch.bfloat16] = 3.0
    assert not compute._bf16_pays()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"compute\.device = 'cuda'"):
        compute.use(config(device="cuda"))
