"""A real SLURM with two nodes on this machine, for tests."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from programs import skip_without

COMMANDS = (
    "munge", "munged", "slurmctld", "slurmd", "sbatch", "scancel", "sinfo", "squeue", "srun",
    "runuser",
)  # fmt: skip
NODES = ("n1", "n2")
CONF = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
SlurmdTimeout=10
JobRequeue=0
{nodes}
PartitionName=tests Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 RealMemory=2000"


class Slurm:
    """A running cluster. Its clients find it by the environment variable SLURM_CONF."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"

    def start(self) -> None:
        """Start the controller and the nodes, and wait until both nodes are idle."""
        host = socket.gethostname()
        nodes = [NODE.format(name=name, host=host, port=_free_port()) for name in NODES]
        (self.folder / "state").mkdir()
        self.conf.write_text(
            CONF.format(
                host=host, controller=_free_port(), folder=self.folder, nodes="\n".join(nodes)
            )
        )
        _start_munge()
        subprocess.run(["slurmctld", "-f", str(self.conf)], check=True)
        for name in NODES:
            self.start_node(name)
        _wait(lambda: self._states() == {"idle"}, "the nodes are not idle")

    def start_node(self, name: str) -> None:
        subprocess.run(["slurmd", "-f", str(self.conf), "-N", name], check=True)

    def kill_node(self, name: str) -> None:
        """End a node with all its jobs, as a loss of power would. The other node goes on."""
        jobs = self._ask("squeue", "--noheader", f"--nodelist={name}", "--format=%A").split()
        os.kill(int((self.folder / f"{name}.pid").read_text()), signal.SIGKILL)
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                step = re.match(r"slurmstepd: \[(\d+)\.", " ".join(process.cmdline()))
                of_node = process.environ().get("SLURMD_NODENAME") == name
                if of_node or (step and step[1] in jobs):
                    process.kill()

    def running(self) -> str:
        """One line per running job: its id, its name and its node."""
        return self._ask("squeue", "--noheader", "--states=running", "--format=%A %j %N")

    def stop(self) -> None:
        for name in NODES:
            with suppress(OSError, ValueError):
                self.kill_node(name)
        with suppress(OSError, ValueError):
            os.kill(int((self.folder / "slurmctld.pid").read_text()), signal.SIGKILL)

    def _states(self) -> set[str]:
        return {*self._ask("sinfo", "--noheader", "--Node", "--format=%T").split()}

    def _ask(self, *command: str) -> str:
        environment = os.environ | {"SLURM_CONF": str(self.conf)}
        asked = subprocess.run(command, env=environment, capture_output=True, text=True)
        return asked.stdout.strip()


@contextmanager
def slurm(folder: Path) -> Iterator[Slurm]:
    """Run SLURM inside the `with` block. Without its programs, skip the test, except in CI."""
    if missing := [name for name in COMMANDS if not shutil.which(name)]:
        skip_without(", ".join(missing), "slurmctld slurmd slurm-client munge")
    cluster = Slurm(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _start_munge() -> None:
    """Start the authentication service of SLURM, if it does not run."""
    if subprocess.run(["munge", "-n"], capture_output=True).returncode == 0:
        return
    run = Path("/run/munge")
    run.mkdir(exist_ok=True)
    shutil.chown(run, "munge", "munge")
    subprocess.run(["runuser", "-u", "munge", "--", "munged"], check=True)
    _wait(
        lambda: subprocess.run(["munge", "-n"], capture_output=True).returncode == 0,
        "munged does not answer",
    )


def _wait(true: Callable[[], bool], message: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, message
        time.sleep(0.2)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
