"""Measure what this code does and write it to a file: ``python -m ganvae.pipeline.behaviour FILE``.

`before` also runs this command on the code of an earlier commit.
"""

import json
import sys
from pathlib import Path

from ganvae.pipeline.behaviour.measure import measure


def main(path: Path) -> None:
    path.write_text(json.dumps(measure()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
