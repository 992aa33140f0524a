"""Measure this code and write the records to a file: ``python -m ganvae.pipeline.behaviour FILE``.

The module `before` also runs this command on the code of an earlier commit.
"""

import json
import sys
from pathlib import Path

from ganvae.pipeline.behaviour.measure import measure


def main(path: Path) -> None:
    path.write_text(json.dumps(measure()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
