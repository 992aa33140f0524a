"""The page needs no other file, shows the records' numbers, and escapes every text."""

import base64
import io
import re
import runpy
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from conftest import ROOT
from ganvae.core.errors import DataError
from ganvae.report import page_differences as differences
from ganvae.report import page_figures as figures
from ganvae.report import page_tables as tables
from ganvae.report.embedding import embed
from ganvae.report.page import render, write_page
from ganvae.report.page_models import shown_run
from ganvae.report.scores import title
from ganvae.report.tuning import Tuning
from ganvae.scores.catalogue import TABLED
from ganvae.scores.comparison import compare, leaderboard
from ganvae.scores.records import ScoreRecord, write_records
from toy_report import draw_pictures, record, report, rich, runs, usual

HOSTILE = "<img src=x onerror=alert(1)>\"'&$x$`{{ 7 }}"


class Page(HTMLParser):
    """The elements of a page with their attributes, and the page's text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._silent = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._silent = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(
    results: Path,
    records: Sequence[ScoreRecord],
    finalists: tuple[str, str] | None = ("gan-one", "vae-one"),
) -> Page:
    return Page(render(report(results, records, finalists)))


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    results = tmp_path_factory.mktemp("results")
    draw_pictures(results, usual())
    return render(report(results, usual()))


@pytest.fixture(scope="module")
def whole(html: str) -> Page:
    return Page(html)


def test_the_page_loads_no_other_file(html: str, whole: Page) -> None:
    for tag, attributes in whole.elements:
        for name in ("src", "srcset", "data", "poster", "action", "background"):
            assert (attributes.get(name) or "data:").startswith("data:"), (tag, attributes)
        link = attributes.get("href") or attributes.get("xlink:href") or "#"
        assert link.startswith("#") or (tag == "a" and link.startswith("https://arxiv.org/abs/"))
    assert not whole.all("link")
    assert "url(http" not in html
    assert "@import" not in html


def test_every_picture_has_an_alternative_text(whole: Page) -> None:
    pictures = [attributes for attributes in whole.all("img") if attributes["src"] != "data:,"]
    assert len(pictures) > 30
    assert all(attributes["alt"] for attributes in pictures)
    for attributes in whole.all("svg"):
        assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"


def test_internal_links_have_targets_and_ids_are_unique(whole: Page) -> None:
    ids = [attributes["id"] for _, attributes in whole.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    targets = {a["href"] for a in whole.all("a") if (a["href"] or "").startswith("#")}
    assert targets <= {f"#{name}" for name in ids}
    used = {(use["xlink:href"] or "") for use in whole.all("use")}
    assert used <= {f"#{name}" for name in ids}


def test_the_same_report_gives_the_same_bytes(html: str, tmp_path: Path) -> None:
    draw_pictures(tmp_path, usual())
    write_page(tmp_path / "report.html", report(tmp_path, usual()))
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == html


def test_the_page_shows_the_numbers_of_the_records(whole: Page) -> None:
    assert (
        "At these training budgets (42 and 42 seconds per run), the GAN has the lower FID."
        in whole.text
    )
    assert "5.20" in whole.text  # the mean FID of gan-one
    assert "Seed 1 diverged: d_loss is NaN at step 12." in whole.text
    assert "No failures: all 5 runs completed." in whole.text
    assert "A GAN for tests." in whole.text
    assert "make toy" in whole.text
    assert "All runs share the same 50 images" in whole.text
    assert "a" * 64 in whole.text  # the judge
    assert "c" * 64 in whole.text  # the weights
    assert re.search(r"hidden\s*8\s*64, 8", whole.text)


def test_a_note_can_contain_code(html: str) -> None:
    assert "<p>It learns <code>stripes</code>.</p>" in html


def test_names_and_reasons_are_escaped(tmp_path: Path) -> None:
    name = f"gan {HOSTILE}"
    records = [
        *runs(name, [5.0, 6.0]),
        record(name, 2, None, reason=HOSTILE),
        record(name, 3, 7.0, flags=[HOSTILE], class_counts=[1, *[2] * 9]),
        *runs("vae-one", [9.0, 9.5]),
    ]
    hostile = report(
        tmp_path,
        records,
        (name, "vae-one"),
        profile=HOSTILE,
        command=HOSTILE,
        notes={name: HOSTILE},
        sources={name: HOSTILE},
        departures={name: {HOSTILE: (HOSTILE, HOSTILE)}},
    )
    shown = Page(render(hostile))
    assert len(shown.all("script")) == 1
    assert [image["src"] for image in shown.all("img")] == ["data:,"]
    assert not any(key.startswith("on") for _, keys in shown.elements for key in keys)
    assert shown.text.count("{{ 7 }}") > 10


def test_a_page_of_a_project_names_its_folder_and_no_clone(tmp_path: Path) -> None:
    own = Page(render(report(tmp_path, usual(), in_project=True, command="ganvae repro"))).text
    assert "In the folder of the project: ganvae repro" in " ".join(own.split())
    assert "git clone" not in own
    assert "git clone" in page(tmp_path, usual()).text


def test_the_page_needs_no_pictures(tmp_path: Path) -> None:
    shown = page(tmp_path, usual())
    assert [image["src"] for image in shown.all("img")] == ["data:,"]
    assert "No failures:" in shown.text


def test_the_page_shows_only_existing_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "pictures/gan-one"
    folder.mkdir(parents=True)
    Image.new("L", (300, 60)).save(folder / "inversions.webp")
    alts = [image["alt"] for image in page(tmp_path, usual()).all("img") if image["alt"]]
    assert len(alts) == 1
    assert "Inverted reconstructions of gan-one, seed 0" in alts[0]


@pytest.mark.parametrize(
    ("records", "finalists", "says"),
    [
        (runs("gan-one", [5.0]), None, "This profile names no GAN and no VAE"),
        (runs("gan-one", [None]), None, "no score"),
        (
            [*runs("gan-one", [None]), *runs("vae-one", [9.0, 8.0])],
            ("gan-one", "vae-one"),
            "cannot be answered here: gan-one has no score (1 run diverged)",
        ),
        (runs("gan-one", [5.0], flags=["too few samples"]), None, "Not ranked"),
        (runs("floor", [0.1, 0.2]), None, "This profile names no GAN and no VAE"),
        ([record("odd", 0, 5.0, family="other")], None, "odd"),
    ],
    ids=["one variant", "diverged run", "lone finalist", "flagged", "floor only", "other family"],
)
def test_reports_of_few_records_can_be_written(
    tmp_path: Path, records: list[ScoreRecord], finalists: tuple[str, str] | None, says: str
) -> None:
    assert says in page(tmp_path, records, finalists).text


def test_the_stage_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_records(Path("results/smoke/scores.json"), usual())
    runpy.run_path(str(ROOT / "stages/report.py"))["main"](str(ROOT / "profiles/smoke/params.yaml"))
    html = Path("results/smoke/report.html").read_text(encoding="utf-8")
    assert "ganvae repro profiles/smoke/dvc.yaml" in Page(html).text


def test_pages_stay_small(html: str, tmp_path: Path) -> None:
    assert len(render(report(tmp_path, usual()))) < 250_000  # without pictures
    assert len(html) < 1_500_000


def test_embedded_pictures_are_compressed(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 1680), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "x.png")
    assert len(embed(tmp_path / "x.png").uri) < 0.75 * (tmp_path / "x.png").stat().st_size


def test_the_shown_run_is_the_first_that_completed() -> None:
    first, second, third = runs("gan-one", [None, 4.0, 3.0])
    assert shown_run([first, second, third]) == second
    collapsed = second.model_copy(update={"status": "collapsed"})
    assert shown_run([first, collapsed, third]) == third
    assert shown_run([first, collapsed]) == collapsed
    assert shown_run([first]) == first


def test_compression_keeps_the_colours_of_small_areas(tmp_path: Path) -> None:
    pixels = np.full((200, 300, 3), 255, np.uint8)
    pixels[:, :, 0] -= np.arange(200, dtype=np.uint8)[:, None] // 2  # many shades of one colour
    keys = [(31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (127, 127, 127)]
    for number, key in enumerate(keys):
        pixels[10 * number : 10 * number + 4, :4] = key
    Image.fromarray(pixels).save(tmp_path / "x.png")
    shown = decoded(embed(tmp_path / "x.png").uri)
    for number, key in enumerate(keys):
        assert np.abs(shown[10 * number + 1, 1].astype(int) - key).max() < 20


def test_a_film_is_embedded_with_its_last_frame(tmp_path: Path) -> None:
    draw_pictures(tmp_path, [record("gan-one", 0, 5.0)])
    film = embed(tmp_path / "pictures/gan-one/training.avif")
    with Image.open(io.BytesIO(base64.b64decode(film.uri.split(",")[1]))) as shown:
        assert getattr(shown, "n_frames", 1) == 3
    assert film.still is not None
    assert decoded(film.still).mean() == pytest.approx(240, abs=2)


def decoded(uri: str) -> np.ndarray:
    with Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))) as image:
        return np.asarray(image.convert("RGB"))


def test_a_file_that_is_not_a_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no picture")
    with pytest.raises(DataError, match=r"x\.png is not a picture"):
        embed(tmp_path / "x.png")


def test_an_interval_beyond_the_axis_ends_in_an_arrow() -> None:
    ax = Figure().subplots()
    ax.set_xscale("log")
    ax.set_xlim(1, 100)
    figures._draw_interval(ax, 0, low=0.5, high=40, colour="k")
    figures._draw_interval(ax, 1, low=8, high=12, colour="k")
    cut, arrow, whole = ax.get_lines()
    assert list(cut.get_xdata()) == [1, 40]
    assert (arrow.get_marker(), list(np.atleast_1d(arrow.get_xdata()))) == ("<", [1])
    assert list(whole.get_xdata()) == [8, 12]


def test_the_fid_curve_ends_at_its_limit() -> None:
    ax = Figure().subplots()
    run = rich("gan-one", 0, 5.0)
    figures._draw_curve(ax, run)
    measured, line, limit = ax.get_lines()
    assert measured.get_xdata()[0] == 1 / 2000
    assert line.get_xdata()[0] == 0
    expected = pytest.approx(run.scores["fid_judge_infinity"])
    assert line.get_ydata()[0] == expected
    assert np.atleast_1d(limit.get_ydata())[0] == expected


def test_labels_do_not_overlap() -> None:
    placed = figures._apart([0.1, 0.11, 0.5, 0.98, 0.99], 0.1)
    assert placed == sorted(placed)
    assert min(np.diff(placed)) >= 0.1 - 1e-9
    assert placed[-1] <= 1
    assert figures._readable([2000, 4000, 6000, 8000, 10_000]) == [10_000, 6000, 4000, 2000]


def test_every_score_is_in_a_table() -> None:
    rows = leaderboard(runs("gan-one", [5.0], scores=dict.fromkeys(TABLED, 1.0)))
    written = [tables.leaderboard_table(rows, []), *tables.further_tables(rows, []).values()]
    heads = {head.text for table in written for head in table.heads}
    assert heads == {title(name) for name in TABLED} | {"runs"}


def test_sides_of_the_contrast_follow_the_better_direction(tmp_path: Path) -> None:
    finalists = report(tmp_path, usual()).comparison.finalists
    lines = {line.score: line for line in differences.contrasts(finalists)}
    fid, recall, inverted = lines["FID"], lines["recall"], lines["inverted MSE"]
    assert fid.mean < 0  # the GAN has the lower value, which is better: left
    assert recall.mean < 0  # the GAN has the higher value, which is better: left
    assert inverted.mean > 0  # the VAE has the lower value, which is better: right
    assert (fid.gan, fid.vae, fid.effect) == ("5.20", "10.20", "ratio 0.510")
    assert (fid.verdict, inverted.verdict) == ("GAN better", "VAE better")
    assert (fid.better, recall.better, inverted.better) == ("1.00", "1.00", "0.00")
    for line in (fid, recall, inverted):
        assert line.low is not None
        assert line.high is not None
        assert max(abs(line.low), abs(line.high)) == pytest.approx(1)
        assert min(line.low, line.high) < line.mean < max(line.low, line.high)


def test_a_variant_can_have_the_name_of_its_family() -> None:
    records = [*runs("gan", [5.0, 7.0]), *runs("vae", [9.0, 11.0])]
    comparison = compare(records, ("gan", "vae"))
    finalists = differences.contrasts(comparison.finalists)[0]
    assert (finalists.gan, finalists.vae) == ("5.92", "9.95")


def test_a_tuned_variant_that_is_no_finalist_has_only_its_leading_pictures(tmp_path: Path) -> None:
    draw_pictures(tmp_path, usual())
    tuning = Tuning(["gan-one", "mix-one"])
    images = Page(render(report(tmp_path, usual(), tuning=tuning))).all("img")
    titles = [(image["alt"] or "").split(", ")[0] for image in images]
    assert "Interpolations of gan-one" in titles
    assert "Interpolations of gan-wild" in titles
    assert "Interpolations of mix-one" not in titles
    assert "Samples of mix-one" in titles


def test_the_page_says_how_the_finalists_were_named(tmp_path: Path) -> None:
    named = "named in the profile's parameters, not chosen by these scores"
    tuned = "whose parameters were tuned on the validation split, not the GAN"
    for names, expected in ((["gan-one", "vae-one"], tuned), (["gan-one"], named), ([], named)):
        text = Page(render(report(tmp_path, usual(), tuning=Tuning(names)))).text
        assert [says in text for says in (tuned, named)] == [expected == tuned, expected == named]
        assert ("were not searched" in text) == bool(names)


def test_the_page_names_the_variants_set_aside(tmp_path: Path) -> None:
    whole = report(tmp_path, usual())
    assert "a likelihood are not shown" not in Page(render(whole)).text
    aside = compare(usual(), whole.finalists, aside=["gan-wild"])
    text = Page(render(report(tmp_path, usual(), comparison=aside))).text
    sentence = "Variants that serve only a picture or a likelihood are not shown: gan-wild."
    assert text.count(sentence) == 1


def test_the_pairs_form_a_triangle_in_the_order_of_the_leaderboard(tmp_path: Path) -> None:
    pairs = differences.pair_table(report(tmp_path, usual()).comparison.pairs)
    assert (pairs.pairs, pairs.too_few, pairs.smallest_p) == (6, 5, "0.071")
    assert pairs.models == ["gan-one", "vae-one", "gan-wild", "mix-one"]
    filled = [[cell is not None for cell in cells] for _, cells in pairs.lines]
    assert filled == np.triu(np.ones((4, 4), bool), 1).tolist()
    first = pairs.lines[0][1][1]
    assert first is not None
    assert "gan-one divided by vae-one: 0.510, 95 % CI [0.491, 0.529], p = 0.0079" in first.detail


def of_faces(variant: str, seed: int, fid: float, **scores: float) -> ScoreRecord:
    """A run that was measured by a judge without classes."""
    return record(variant, seed, fid, scores={"is_judge": None, "recall_judge": 0.5} | scores)


def test_a_judge_without_classes_gives_no_class_scores(tmp_path: Path) -> None:
    records = [of_faces(m, seed, 5.0 + seed) for m in ("gan-one", "vae-one") for seed in (0, 1)]
    shown = page(tmp_path, records)
    assert not re.search(r"\bIS\b|label kept|class distance|KL of modes", shown.text)
    assert "Shares of the classes" not in str(shown.elements)
    assert "1606.03498" not in str(shown.elements)


def test_modes_are_in_the_leaderboard_and_the_glossary(tmp_path: Path) -> None:
    modes = {"modes_judge": 998.0, "mode_kl_judge": 0.042}
    records = [of_faces(m, s, 5.0 + s, **modes) for m in ("gan-one", "vae-one") for s in (0, 1)]
    with_modes = report(tmp_path, records)
    heads = [head.text for head in tables.leaderboard_table(with_modes.comparison.rows, []).heads]
    assert heads == ["FID", "recall", "modes", "KL of modes", "runs"]
    shown = Page(render(with_modes))
    assert "The number of known modes of the data" in shown.text
    for source in ("1611.02163", "1712.04086"):
        assert f"https://arxiv.org/abs/{source}" in str(shown.elements)


def test_the_glossary_explains_the_scores_of_a_judge_with_classes(tmp_path: Path) -> None:
    scores = {"class_distance_judge": 0.1, "classes_judge": 10.0, "label_kept_judge": 0.9}
    text = page(tmp_path, [record("gan-one", 0, 5.0, scores=scores)], None).text
    for term in ("how certain the judge is", "class distance", "label kept", "P(GAN better)"):
        assert term in text
    assert "KL of modes" not in text
