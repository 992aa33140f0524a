"""Put each fault of faults.yaml into a copy of the repository, and check that its tests fail.

    python tests/pins.py [pin ...]

The same tests first run without a fault. The exit status is 1 if no test notices some fault.
"""

import contextlib
import io
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest
from ruamel.yaml import YAML

import places

ROOT = Path(__file__).parent.parent
COPIED = (
    "behaviour",
    "src",
    "tests",
    "stages",
    "profiles",
    "judges",
    "params.yaml",
    "dvc.yaml",
    "pyproject.toml",
)
LINKED = ("data/raw",)
HEAVY = ["pytest", "scipy.stats", "sklearn.model_selection", "torch", "torchmetrics.image.fid"]
"""Modules that are imported once for all faults. None is from this repository."""


class Fault(NamedTuple):
    """One change that breaks one pin, and the names of the tests that must notice.

    In ``place``, which is a function (`places.find`) or a file, ``old`` is replaced by ``new``.
    ``unseen`` is the reason why no fingerprint of behaviour moves, or "" if one must (moved.py).
    """

    pin: int
    what: str
    place: str
    old: str
    new: str
    tests: tuple[str, ...]
    unseen: str = ""

    def path(self, root: Path) -> Path:
        """The file that the fault changes.

        Raises:
            ValueError: the function does not exist, or several have this name.
        """
        plain = root / self.place
        return plain if plain.is_file() else places.find(root, self.place).path

    def changed(self, root: Path) -> str:
        """The text of the file with the fault in it.

        Raises:
            ValueError: the place does not contain the text to replace exactly once.
        """
        plain = root / self.place
        try:
            if not plain.is_file():
                return places.changed(places.find(root, self.place), self.old, self.new)
            if plain.read_text().count(self.old) != 1:
                raise ValueError(f"expected {self.old!r} once in {self.place}")
        except ValueError as error:
            raise ValueError(
                f"pin {self.pin}, {self.what}: {error}. If the code has changed, change "
                "tests/faults.yaml as well."
            ) from None
        return plain.read_text().replace(self.old, self.new)


def read_faults() -> list[Fault]:
    """All faults, by pin."""
    with (ROOT / "tests/faults.yaml").open() as file:
        by_pin = YAML(typ="safe").load(file)
    return [
        Fault(
            pin,
            entry["fault"],
            entry.get("at") or entry["file"],
            entry["old"],
            entry["new"],
            (*entry["tests"],),
            entry.get("unseen", ""),
        )
        for pin, entries in by_pin.items()
        for entry in entries
    ]


def places_of_tests(root: Path) -> dict[str, list[str]]:
    """The files that define each test of a pin, by name of the test."""
    places: dict[str, list[str]] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        for name in re.findall(r"^def (test_pin_\w+)\(", path.read_text(), re.MULTILINE):
            places.setdefault(name, []).append(str(path.relative_to(root)))
    return places


def node_id(test: str, places: dict[str, list[str]]) -> str:
    """Pytest's identifier of a test, or of one case of a test.

    Raises:
        ValueError: the test does not exist, or two tests have this name.
    """
    found = places.get(test.split("[")[0], [])
    if len(found) != 1:
        raise ValueError(f"tests/faults.yaml: expected one test called {test}, found {len(found)}")
    return f"{found[0]}::{test}"


class Outcomes:
    """A pytest plugin that records which cases passed, and which failed in the test itself."""

    def __init__(self) -> None:
        self.passed: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and not report.skipped:
            self.passed[report.nodeid] = report.passed


def run_tests(copy: Path, tests: Iterable[str]) -> dict[str, bool]:
    """Whether each case of the tests passes with the code of ``copy``. Needs its own process.

    Raises:
        RuntimeError: the tests did not run, or did not use the code of ``copy``.
    """
    os.chdir(copy)
    sys.dont_write_bytecode = True  # Python would miss two changes within a second
    os.environ |= {"PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.path[:] = [str(copy / "src"), *(path for path in sys.path if path != str(ROOT / "tests"))]
    outcomes, output = Outcomes(), io.StringIO()
    arguments = ["-p", "no:cacheprovider", "--tb=short", *dict.fromkeys(tests)]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        status = pytest.main(arguments, plugins=[outcomes])
    import ganvae

    if status not in (0, 1) or not Path(ganvae.__file__).is_relative_to(copy):
        raise RuntimeError(f"status {status}, {ganvae.__file__}\n{output.getvalue()}")
    return outcomes.passed


class Bench:
    """A copy of the repository, in which faults are tried one after another."""

    def __init__(self, copy: Path) -> None:
        self.copy = copy
        copy.mkdir(parents=True, exist_ok=True)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name, ignore=_caches)
            else:
                shutil.copy(ROOT / name, copy / name)
        for name in LINKED:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).symlink_to(ROOT / name)
        self.places = places_of_tests(copy)

    def run(self, faults: Iterable[Fault]) -> dict[str, bool]:
        """Run the tests of these faults in a new process. Return whether each case passes."""
        tests = [node_id(test, self.places) for fault in faults for test in fault.tests]
        with ProcessPoolExecutor(1, multiprocessing.get_context("forkserver")) as pool:
            return pool.submit(run_tests, self.copy, tests).result()

    def try_out(self, fault: Fault) -> dict[str, tuple[int, int]]:
        """By test, the number of failed cases and of all cases with this fault."""
        path = fault.path(self.copy)
        as_it_was = path.read_text()
        path.write_text(fault.changed(self.copy))
        try:
            passed = self.run([fault])
        finally:
            path.write_text(as_it_was)
        results = {}
        for test in fault.tests:
            node = node_id(test, self.places)
            cases = [passed[case] for case in passed if case == node or case.startswith(f"{node}[")]
            results[test] = cases.count(False), len(cases)
        return results


def benches_in(folder: Path) -> list[Bench]:
    """A bench for each core, in folders below ``folder``."""
    return [Bench(folder / str(number)) for number in range(len(os.sched_getaffinity(0)))]


T = TypeVar("T")


def side_by_side(
    benches: list[Bench], faults: list[Fault], work: Callable[[Bench, Fault], T]
) -> Iterator[tuple[Fault, T]]:
    """Each fault in order, with the result of ``work`` on one of the benches."""
    free = list(benches)

    def run(fault: Fault) -> T:
        bench = free.pop()
        try:
            return work(bench, fault)
        finally:
            free.append(bench)

    with ThreadPoolExecutor(len(benches)) as pool:
        yield from zip(faults, pool.map(run, faults), strict=True)


def _caches(_: str, names: list[str]) -> set[str]:
    return {name for name in names if name == "__pycache__" or name.endswith(".egg-info")}


def report(fault: Fault, results: dict[str, tuple[int, int]]) -> bool:
    """Print the results of a fault. Return False if a test did not notice it."""
    caught = all(failed for failed, _ in results.values())
    print(f"{fault.pin:>3}  {'caught    ' if caught else 'NOT CAUGHT'}  {fault.what}")
    for test, (failed, cases) in results.items():
        print(f"{'':17}{failed} of {cases} fail: {test}", flush=True)
    return caught


def main(pins: set[int]) -> int:
    """Try the faults of these pins, or of all pins."""
    faults = [fault for fault in read_faults() if not pins or fault.pin in pins]
    if not faults:
        known = ", ".join(map(str, sorted({fault.pin for fault in read_faults()})))
        print(f"error: no such pin; choose from {known}", file=sys.stderr)
        return 1
    multiprocessing.get_context("forkserver").set_forkserver_preload(HEAVY)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        benches = benches_in(Path(folder).resolve())
        for fault in faults:
            fault.changed(benches[0].copy)  # fail early if a fault does not fit the code
        print("Without a fault ...", file=sys.stderr, flush=True)
        passed = benches[0].run(faults)
        red = [case for case, good in passed.items() if not good]
        if red:
            print("error: these tests fail without a fault:", *red, sep="\n  ", file=sys.stderr)
            return 1
        print(f"all {len(passed)} tests pass.", file=sys.stderr)
        survivors = 0
        tried = side_by_side(benches, faults, Bench.try_out)
        for number, (fault, results) in enumerate(tried, start=1):
            survivors += not report(fault, results)
            progress = f"{number} of {len(faults)}, {time.monotonic() - start:.0f} s"
            print(progress, file=sys.stderr, flush=True)
    seconds = time.monotonic() - start
    print(f"{len(faults) - survivors} of {len(faults)} faults caught in {seconds:.0f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main({int(pin) for pin in sys.argv[1:]}))
