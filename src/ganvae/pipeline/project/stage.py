"""Run a stage of the program in a project: ``python -m ganvae.pipeline.project.stage NAME ...``."""

import runpy
import sys

from ganvae.core import assets


def main() -> None:
    """Run the script of the stage ``NAME``, with the other arguments."""
    name, *arguments = sys.argv[1:]
    script = str(assets.ROOT / "stages" / f"{name}.py")
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
