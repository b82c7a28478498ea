"""An experiment runs into a folder, keeps what is finished, and says what can't be used."""

import json
import logging
import os

import pytest

from tfstyle import InputError, experiments, images
from tfstyle.experiments.run import reproduce

pytestmark = pytest.mark.usefixtures("eager")


def test_everything_is_written_and_finished_runs_are_kept(blends, tmp_path, caplog):
    caplog.set_level(logging.INFO, "tfstyle")
    outcome = reproduce(blends, tmp_path, size=64, steps=2)
    assert blends.painted == ["blend-0.0", "blend-0.5", "blend-1.0"]
    assert [row["ssim"] for row in outcome.rows] == sorted(row["ssim"] for row in outcome.rows)
    assert [row["rank"] for row in outcome.rows] == [0, 1, 2]  # derived
    assert outcome.row(share=0.5)["best_loss"] is not None
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {
        "experiment.json", "measurements.json", "report.html", "results.csv", "results.json",
        "figures/all_blends.png", *(f"runs/{name}.{kind}" for name in blends.painted for kind in ("png", "json")),
    }  # fmt: skip
    assert caplog.messages == []
    (tmp_path / "runs" / "blend-0.5.json").unlink()  # as if killed before it was written
    again = reproduce(blends, tmp_path, size=64, steps=2)
    assert blends.painted[3:] == ["blend-0.5"]
    assert blends.measured == 1
    assert caplog.messages == [f"{tmp_path}: 2 of 3 runs are finished and kept"]
    assert [row["run"] for row in again.rows] == [row["run"] for row in outcome.rows]
    assert json.loads((tmp_path / "results.json").read_text())["rows"][0]["best_loss"] is None  # was infinite


@pytest.mark.parametrize("changed", [{"steps": 3}, {"size": 65}, {"seed": 1}, {"contents": ["coffee"]}])
def test_runs_with_other_settings_are_done_anew(blends, tmp_path, caplog, changed):
    from tfstyle import samples

    caplog.set_level(logging.INFO, "tfstyle")
    blends.shares = (0.5,)
    reproduce(blends, tmp_path, size=64, steps=2)
    given = {name: [samples.content(each) for each in value] if name == "contents" else value
             for name, value in changed.items()}  # fmt: skip
    reproduce(blends, tmp_path, **{"size": 64, "steps": 2, **given})
    assert len(blends.painted) == 2
    assert caplog.messages == [f"{tmp_path}: 1 runs had other settings and are done anew"]


def test_given_pictures_may_stay_private(blends, tmp_path, photo, painting):
    paths = {}
    for name, picture in (("content", photo), ("style", painting)):
        paths[name] = images.save(picture, tmp_path / f"my-{name}.png") or tmp_path / f"my-{name}.png"
    given = {"contents": [paths["content"]], "styles": [paths["style"]], "size": 64, "steps": 2}
    reproduce(blends, tmp_path / "open", **given)
    outcome = reproduce(blends, tmp_path / "private", **given, private=True)
    picture = outcome.setup.contents[0]
    assert outcome.setup.shown(picture) is None
    pages = [(tmp_path / each / "report.html").read_text() for each in ("open", "private")]
    assert [page.count("data:image/") for page in pages] == [3, 1]  # the figure is left
    assert f"my-content.png, not shown; SHA-256 {picture.sha256}" in pages[1]
    for name in ("report.html", "results.json", "results.csv"):
        assert str(tmp_path) not in (tmp_path / "private" / name).read_text()


def test_quick_is_smaller(blends, tmp_path):
    blends.quick_size, blends.quick_steps, blends.shares = 70, 5, (0.5,)
    outcome = reproduce(blends, tmp_path, quick=True)
    assert (outcome.setup.size, outcome.setup.steps, outcome.setup.quick) == (70, 5, True)
    assert max(outcome.picture("blend-0.5").rgb.shape) == 70


def test_ctrl_c_leaves_finished_runs(blends, tmp_path):
    paint = blends.paint

    def interrupted(run, setup):
        result = paint(run, setup)
        if len(blends.painted) == 2:
            result.settings["stopped"] = "interrupted"
        return result

    blends.paint = interrupted
    with pytest.raises(KeyboardInterrupt):
        reproduce(blends, tmp_path, size=64)
    assert not (tmp_path / "report.html").exists()
    blends.paint = paint
    reproduce(blends, tmp_path, size=64)
    assert blends.painted == ["blend-0.0", "blend-0.5", "blend-0.5", "blend-1.0"]


def test_the_bar_counts_runs(blends, tmp_path, capsys):
    reproduce(blends, tmp_path, size=64, progress=True)
    output = capsys.readouterr()
    assert output.out == ""
    assert "blends" in output.err
    assert "3/3 runs" in output.err


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"size": 63}, "size 63 can't be used: give a whole number from 64 to 4096"),
        ({"steps": 0}, "steps 0 can't be used: give a whole number from 1 to 10000000"),
        ({"seed": -1}, "seed -1 can't be used: give a whole number from 0 to 4294967295"),
        ({"contents": ["a.png", "b.png"]}, "blends takes 1 content picture, not 2"),
        ({"styles": ["missing.png"]}, "missing.png does not exist; check the path"),
    ],
)
def test_bad_input_is_one_line(blends, tmp_path, given, text):
    with pytest.raises(InputError) as caught:
        reproduce(blends, tmp_path / "new", **given)
    assert str(caught.value) == text
    assert not os.path.exists(tmp_path / "new")


def test_unknown_experiments_are_named():
    with pytest.raises(InputError) as caught:
        experiments.get("jin2021-hybrids")
    assert str(caught.value).startswith("unknown experiment 'jin2021-hybrids': did you mean jin2021-hybrid")
    for name in experiments.EXPERIMENTS:
        assert experiments.get(name).name == name


def test_files_are_taken_for_samples(blends, tmp_path, photo):
    images.save(photo, tmp_path / "mine.png")
    outcome = reproduce(blends, tmp_path / "new", contents=[tmp_path / "mine.png"], size=64)
    assert outcome.setup.contents[0].name == str(tmp_path / "mine.png")
