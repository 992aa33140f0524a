"""Write the page that compares GANs and VAEs across the data sets of all profiles."""

from pathlib import Path

from pydantic import Field

from ganvae.config import Params, Section, load_params, parse, read_yaml
from ganvae.core.errors import UserError
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.pipeline.stage import run_stage
from ganvae.report.across import DataSet, check_sets, data_set
from ganvae.report.across_figure import draw_across
from ganvae.report.across_text import write_across_markdown
from ganvae.scores.records import read_records


class Profiles(Section):
    """The profiles on the page. ``profiles`` lists their params.yaml files in the page's order."""

    profiles: list[str] = Field(min_length=1)


def main(params_file: str) -> None:
    file = Path(params_file)
    profiles = parse(Profiles, read_yaml(file), params_file).profiles
    sets = [read_profile(load_params(Path(name))) for name in profiles]
    check_sets(sets)
    page = file.with_name("across.md")
    write_across_markdown(page, sets, "across.png")
    draw_across(page.with_suffix(".png"), sets)
    print(f"{page}: {len(sets)} data sets")


def read_profile(params: Params) -> DataSet:
    """Read a profile's data set and its results.

    Raises:
        UserError: the profile has no results.
    """
    paths = ProfilePaths(params.profile)
    scores = paths.results / "scores.json"
    if not scores.is_file():
        pipeline = Path(params.file).with_name("dvc.yaml")
        raise UserError(f"{scores} is missing. Run `ganvae repro {pipeline}` to write this file.")
    outcome = read_json(paths.run(next(iter(params.runs))).outcome)
    shape = read_json(Path(params.judge).with_suffix(".json"))["image_shape"]
    return data_set(params, read_records(scores), outcome["train_images"], tuple(shape))


if __name__ == "__main__":
    run_stage(main, __doc__)
