"""Feed valid and damaged inputs to every reader of files, and count what happens.

    python tests/fuzz/fuzzing.py [inputs per reader]

Equal numbers of inputs give equal inputs. The exit status is 1 if a reader failed.
"""

import resource
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from ganvae.core.errors import UserError
from ganvae.core.limits import VARIABLE

INPUTS = 5000
VALID_SHARE = 0.4  # of the inputs; at least 30 % are wanted
SECONDS = 10.0  # an input that takes longer hangs
MEMORY = 1_000_000  # kB that one input may add to the peak of the process
LIMIT_GB = "0.1"  # of unpacked files

GOOD = ("right", "clean error")
BAD = ("traceback", "silently wrong", "hang", "memory")

Random = np.random.Generator
Read = Callable[[Path], Any]

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", "a;touch x", "../..", "\ud800", "null", "1e400", "${root}", "\n", "é"]),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=4), values),
    max_leaves=6,
)
"""A value of any kind, for any place in a parameter file or record."""


@dataclass(frozen=True)
class Reader:
    """A reader of files, and how to tell whether it was right.

    Attributes:
        write: writes a random valid input, and returns what `read` must return.
        read: the function under test, with a result that `==` compares.
        reference: reads a damaged input in another way. A reader that accepts an input must return
            the same. An exception means that the input must be refused.
        damage: damages an input in place, with some junk.
        name: the name of the input file.
    """

    kind: str
    write: Callable[[Random, Path], Any]
    read: Read
    reference: Read
    damage: Callable[[Random, Path, Any], None]
    name: str = "input"


def damage_bytes(random: Random, path: Path, _: Any) -> None:
    """Change, remove, repeat, insert or swap some bytes; more often at the start of the file."""
    content = bytearray(path.read_bytes())
    for _ in range(int(random.integers(1, 4))):
        size = len(content)
        place = (
            int(random.integers(size + 1)) if random.random() < 0.5 else _near_start(random, size)
        )
        length = int(random.integers(1, 1 + max(1, min(size, 40))))
        part = bytes(content[place : place + length])
        match int(random.integers(6)):
            case 0:
                content[place : place + length] = random.bytes(len(part))
            case 1 if place < size:
                content[place] ^= 1 << int(random.integers(8))
            case 2:
                del content[place : place + length]
            case 3:
                content[place:place] = part or b"\0"
            case 4:
                content[place:place] = random.bytes(length)
            case 5:
                del content[place:]
    path.write_bytes(content)


def _near_start(random: Random, size: int) -> int:
    return int(min(size, random.exponential(30)))


class Hang(BaseException):
    """An input took too long. No reader may catch this."""


@contextmanager
def _limits() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Hang

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def outcome(reader: Reader, path: Path, expected: Any = None) -> str:
    """What a reader makes of an input: one of `GOOD` or `BAD`.

    Args:
        expected: the right result for a valid input; None for a damaged input. A valid input that
            is refused counts as "silently wrong".
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with _limits():
            result = reader.read(path)
    except UserError as error:
        if expected is not None:
            return "silently wrong"
        return "clean error" if str(error).strip() else "traceback"
    except Hang:
        return "hang"
    except MemoryError:
        return "memory"
    except BaseException:
        return "traceback"
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak > MEMORY:
        return "memory"
    if expected is None:
        try:
            expected = reader.reference(path)
        except BaseException:
            return "silently wrong"
    return "right" if result == expected else "silently wrong"


def fuzz(reader: Reader, inputs: int, keep: Path | None = None) -> Counter[str]:
    """Count the outcomes of ``inputs`` inputs. The key "valid" counts the valid ones.

    Args:
        keep: a folder for the inputs with a bad outcome.
    """
    counts: Counter[str] = Counter()
    valid = 0

    @seed(0)
    @settings(
        max_examples=inputs, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(number=st.integers(0, 2**32 - 1), junk=JUNK)
    def one(number: int, junk: Any) -> None:
        nonlocal valid
        random = np.random.default_rng(number)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / reader.name
            expected = reader.write(random, path)
            is_valid = counts.total() % 5 < 5 * VALID_SHARE
            if not is_valid:
                reader.damage(random, path, junk)
            result = outcome(reader, path, expected if is_valid else None)
            counts[result] += 1
            valid += is_valid
            if result in BAD and keep:
                name = f"{reader.kind}-{result.replace(' ', '-')}-{counts[result]}{path.suffix}"
                (keep / name).write_bytes(path.read_bytes())

    one()
    counts["valid"] = valid
    return counts


def bad(counts: Counter[str]) -> int:
    """The number of bad outcomes."""
    return sum(counts[result] for result in BAD)


def main(inputs: int = INPUTS) -> None:
    """Print a table of all readers."""
    import os

    from readers import READERS

    os.environ[VARIABLE] = LIMIT_GB
    keep = Path(tempfile.mkdtemp(prefix="fuzz-"))
    columns = ("valid", *GOOD, *BAD)
    print(f"| reader | inputs | {' | '.join(columns)} |")
    print("| --- |" + " ---: |" * (1 + len(columns)))
    failed = 0
    for reader in READERS:
        counts = fuzz(reader, inputs, keep)
        failed += bad(counts)
        total = sum(counts[result] for result in GOOD + BAD)
        cells = " | ".join(f"{counts[column]:,}" for column in columns)
        print(f"| {reader.kind} | {total:,} | {cells} |", flush=True)
    if failed:
        sys.exit(f"error: {failed} bad outcomes; their inputs are in {keep}")
    keep.rmdir()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
