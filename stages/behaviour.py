"""Measure the behaviour of the code. All results that take longer than seconds depend on it."""

import time
from pathlib import Path

from ganvae.pipeline.behaviour.fingerprints import refresh
from ganvae.pipeline.stage import run_stage


def main() -> None:
    start = time.monotonic()
    findings = refresh(Path())
    for finding in findings:
        if finding.verdict not in ("same", "grown"):
            entries = ", ".join(dict.fromkeys(finding.what[:5]))
            print(f"{finding.name}: {finding.verdict}" + (f" ({entries}, ...)" if entries else ""))
    moved = [finding.name for finding in findings if finding.verdict == "moved"]
    seconds = time.monotonic() - start
    print(f"behaviour: {len(moved)} of {len(findings)} fingerprints moved ({seconds:.0f} s)")


if __name__ == "__main__":
    run_stage(main, __doc__)
