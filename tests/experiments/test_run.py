"""An experiment runs into a folder, keeps what is finished, and says what can't be used."""

import inspect
import json
import logging
import os
from dataclasses import replace

import pytest

from tfstyle import InputError, experiments, images
from tfstyle.experiments.run import compare, reproduce

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
    assert caplog.messages == [f"{tmp_path}: 1 runs had other settings and are done again"]


def test_the_users_images_may_stay_private(blends, tmp_path, photo, painting):
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
        return replace(result, stopped="interrupted") if len(blends.painted) == 2 else result

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
        ({"size": 63}, "size 63 .* 64 to 4096"),
        ({"steps": 0}, "steps 0 .* 1 to 10000000"),
        ({"seed": -1}, "seed -1 .* 0 to 4294967295"),
        ({"weights": "none"}, "unknown weights 'none': use one of imagenet, random"),
        ({"sise": 64}, "unknown option 'sise': did you mean size"),
        ({"contents": ["a.png", "b.png"]}, "blends takes at most 1 content image: leave out 1"),
        ({"styles": ["missing.png"]}, "missing.png does not exist; check the path"),
        ({"domains": {"ink": "folder"}}, "blends does not train on domains: leave out the option domain"),
        ({"trained": "folder"}, "blends does not train on domains: leave out the option trained"),
    ],
)
def test_bad_input_is_one_line(blends, tmp_path, given, text):
    with pytest.raises(InputError, match=text):
        reproduce(blends, tmp_path / "new", **given)
    assert not os.path.exists(tmp_path / "new")


def test_unknown_experiments_are_named():
    with pytest.raises(InputError, match="unknown experiment 'jin2021-hybrids': did you mean jin2021-hybrid"):
        experiments.get("jin2021-hybrids")


@pytest.mark.parametrize("name", experiments.EXPERIMENTS)
def test_every_experiment_says_what_it_is(name):
    experiment = experiments.get(name)
    assert experiment.name == name
    assert all((experiment.title, experiment.reference, experiment.needs, experiment.duration))


def test_the_signature_has_every_option():
    parameters = inspect.signature(reproduce).parameters
    assert list(parameters)[:2] == ["experiment", "folder"]
    assert {"quick", "contents", "styles", "size", "steps", "seed", "progress"} <= set(parameters)
    assert parameters["seed"].kind is inspect.Parameter.KEYWORD_ONLY
    assert "trained: A folder of finished trainings" in reproduce.__doc__
    assert list(inspect.signature(compare).parameters)[:3] == ["content", "style", "folder"]


def test_files_are_taken_for_samples(blends, tmp_path, photo):
    images.save(photo, tmp_path / "mine.png")
    outcome = reproduce(blends, tmp_path / "new", contents=[tmp_path / "mine.png"], size=64)
    assert outcome.setup.contents[0].name == str(tmp_path / "mine.png")
