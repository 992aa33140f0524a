"""One run trained by several processes, each on its share of every batch.

``torchrun --nproc_per_node=2 stages/train.py params.yaml dcgan-0`` starts two. Each holds the
whole model. Of every batch, and of the noise that goes with it, the process of rank r takes rows
r, r + size, r + 2 size ...; before each step of an optimizer gradients are averaged over the
processes. As all shares are of one size and losses are means over images, that is the step that
one process would take with the whole batch, but for rounding. After each training step losses
and the models' buffers are averaged, so that everything that is decided by them (the balance of
D and G, the end of a run whose losses are not finite) is decided alike everywhere.

Three things are not those of one process: batch norm takes the statistics of each share (as in
torch's own DistributedDataParallel), dropout draws masks of its own for each share, and a
gradient penalty on a part of the images is on that part of each share, rounded up.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous
from torch.optim import Optimizer

from ganvae import compute
from ganvae.compute import Machine
from ganvae.config import ComputeConfig, ModelConfig, parse
from ganvae.errors import ConfigError, UserError

T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """The processes that train together; this one is number ``rank`` of ``size``, from 0 on.

    The first, of rank 0, is the one that writes files. What a method does it does in all of
    them, so all have to call it.
    """

    rank: int
    size: int

    def meet(self) -> None:
        """Wait until all processes are here."""
        if self.size > 1:
            dist.barrier()

    def of_first(self, value: T) -> T:
        """The first process's value."""
        if self.size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    def on_first(self, action: Callable[[], object]) -> None:
        """Let the first process act while the others wait; its `UserError` is raised in all."""
        fault: UserError | None = None
        if self.rank == 0:
            try:
                action()
            except UserError as error:
                fault = error
        fault = self.of_first(fault)
        if fault:
            raise fault

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over the processes. All are on one device."""
        if self.size == 1 or not tensors:
            return
        together = torch.cat([tensor.flatten() for tensor in tensors])  # one message, not many
        dist.all_reduce(together)
        together /= self.size
        parts = together.split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))

    def average_gradients(self, optimizers: Iterable[Optimizer]) -> None:
        """From now on let each optimizer step by the processes' mean gradients."""
        if self.size > 1:
            for optimizer in optimizers:
                optimizer.register_step_pre_hook(self._average_gradients)

    def _average_gradients(self, optimizer: Optimizer, *_: Any) -> None:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self.average([p.grad for p in parameters if p.grad is not None])


ALONE = Group(rank=0, size=1)


@contextmanager
def joined() -> Iterator[Group]:
    """Join the processes that torchrun has started; without torchrun, be `ALONE`.

    A process that fails leaves by its exception, and torchrun then ends the others. A `UserError`
    that several of them find is raised in one; the others exit in silence.

    Raises:
        ConfigError: the processes are on several machines; files are shared on one alone.
    """
    size = int(os.environ["WORLD_SIZE"]) if dist.is_torchelastic_launched() else 1
    if size == 1:
        yield ALONE
        return
    store, rank, size = next(rendezvous("env://"))
    try:
        if int(os.environ["LOCAL_WORLD_SIZE"]) < size:
            raise ConfigError("torchrun: all processes must be on one machine: give --nnodes=1.")
        # Chosen by where a tensor is; NCCL takes no part as long as none is on a GPU.
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size)
        yield Group(rank, size)
    except UserError as error:
        if store.add(f"said: {error}", 1) > 1:
            sys.exit(1)
        raise
    dist.destroy_process_group()  # not after an exception: it would wait for the others


def use_to_train(config: ComputeConfig, group: Group) -> Machine:
    """`compute.use_to_train`, the same in all processes; each takes a GPU of its own.

    Raises:
        ConfigError: a GPU is asked for and there is none, or there are fewer than processes.
    """
    machine = group.of_first(compute.use_to_train(config))  # a probe may find this or that
    if machine.device == "cuda" and group.size > 1:
        gpus = torch.cuda.device_count()
        if gpus < group.size:
            raise ConfigError(
                f"torchrun: {group.size} processes take a GPU each and there are {gpus}: "
                "start fewer, or set compute.device to cpu."
            )
        torch.cuda.set_device(group.rank)  # what "cuda" means from now on
    return machine


def share_of(config: ModelConfig, group: Group, where: str) -> ModelConfig:
    """The config with each process's share of the batch in place of the batch's size.

    Args:
        where: what errors call the section, ``models.dcgan`` say.

    Raises:
        ConfigError: the processes cannot all have the same share, or it is one that the model
            does not allow.
    """
    if group.size == 1:
        return config
    share, rest = divmod(config.batch_size, group.size)
    if rest:
        raise ConfigError(
            f"{where}.batch_size = {config.batch_size}: must be a multiple of the number of "
            f"processes, {group.size}."
        )
    values = config.model_dump() | {"batch_size": share}
    return parse(type(config), values, f"in each of {group.size} processes: {where}")
