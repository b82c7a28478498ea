"""What is found of the claims on backbones, by made-up rows."""

from dataclasses import replace

import pytest

from tfstyle import InputError, experiments
from tfstyle.experiments.base import AGREES, DISAGREES, UNTESTED, Outcome
from tfstyle.experiments.papers.comparison import BACKBONES, TREATMENTS, Comparison
from tfstyle.images.grids import Grid

pytestmark = pytest.mark.usefixtures("eager")

# As the survey has it: style reached, SSIM, agreement of edges, noise, shift of colours.
SURVEYS = {"VGG19": (0.7, 0.4, 0.4, 1.1, 20), "InceptionV3": (0.4, 0.9, 0.9, 1.2, 10),
           "ResNet50": (0.05, 0.8, 0.6, 3.0, 5), "NASNetMobile": (0.1, 0.95, 0.9, 1.0, 9)}  # fmt: skip
NAMES = ("style_reached", "ssim", "edge_agreement", "noise", "color_shift")
ENTROPY = {"VGG19": 0.9, "InceptionV3": 0.9, "ResNet50": 0.5, "NASNetMobile": 0.6}


@pytest.fixture
def made(setup, monkeypatch):
    """An outcome of the experiment with rows that agree with the survey, and all networks trained or not."""

    def made(trained=True, **changes):
        monkeypatch.setattr(type(setup.networks), "trained", lambda self, name: trained or name == "VGG19")
        rows = []
        for name in BACKBONES:
            for treatment in TREATMENTS:
                values = dict(zip(NAMES, SURVEYS[name], strict=True))
                if treatment != "raw":
                    values["style_reached"] = 0.6 if treatment == "balanced" else 0.8
                values |= changes.get(f"{name}_{treatment}", {})
                rows.append({"run": f"{name}-{treatment}", "backbone": name, "treatment": treatment, **values})
        kinds = {name: {"plain": {"layer": value}, "smoothed": {"layer": 0.95}} for name, value in ENTROPY.items()}
        return Outcome(setup, [], rows, {"entropy": kinds}, lambda name: setup.contents[0])

    return made


def test_rows_as_the_survey_has_them_agree(made):
    found = experiments.get("jin2021-backbones").findings(made())
    assert [finding.verdict for finding in found] == [AGREES] * 6 + ["", AGREES, ""]
    assert found[0].evidence == (
        "style reached, under the same weights (chosen) for all: VGG19 0.70 > InceptionV3 0.40 > "
        "NASNetMobile 0.10 > ResNet50 0.05 (no style is below 0.2)."
    )
    assert "ResNet50 from 0.05 to 0.60" in found[6].evidence
    assert "the failure of ResNet50 is due to the weights" in found[6].evidence


@pytest.mark.parametrize(
    ("change", "index"),
    [
        ({"ResNet50_raw": {"style_reached": 0.5}}, 0),
        ({"InceptionV3_raw": {"style_reached": 0.13}}, 0),  # more than ResNet50's, but next to nothing
        ({"VGG19_raw": {"edge_agreement": 0.95}}, 1),
        ({"InceptionV3_raw": {"ssim": 0.3}}, 2),
        ({"ResNet50_raw": {"ssim": 0.99}}, 3),
        ({"NASNetMobile_raw": {"color_shift": 0.5}}, 4),
        ({"ResNet50_smoothed": {"style_reached": 0.5}}, 7),
    ],
)
def test_rows_that_say_otherwise_do_not_agree(made, change, index):
    found = experiments.get("jin2021-backbones").findings(made(**change))
    assert found[index].verdict == DISAGREES


def test_of_random_networks_nothing_is_claimed(made):
    found = experiments.get("jin2021-backbones").findings(made(trained=False))
    assert {finding.verdict for finding in found if finding.claim} == {UNTESTED}
    assert "random weights" in found[0].evidence


def test_figures_name_random_weights(made):
    experiment = experiments.get("jin2021-backbones")
    drawn = experiment.figures(made(trained=False))
    assert list(drawn) == ["figure3", "grid", "style_reached", "entropy"]
    for figure in drawn.values():
        words = " ".join(figure.words if isinstance(figure, Grid) else [each.get_text() for each in figure.texts])
        assert "InceptionV3, ResNet50, NASNetMobile random, all others ImageNet" in words
        assert "56 pixels, 3 steps, seed 0" in words


def test_runs_are_of_one_recipe(setup):
    runs = experiments.get("jin2021-backbones").runs(setup)
    assert len(runs) == 16
    assert len({run.name for run in runs}) == 16
    assert {run.settings["method"].name for run in runs} == {"jin2021"}
    assert {run.settings["normalize_losses"] for run in runs if run.facts["treatment"] == "raw"} == {False}
    quick = experiments.get("jin2021-backbones").runs(replace(setup, quick=True))
    assert {(run.facts["backbone"], run.facts["treatment"]) for run in quick} >= {(name, "raw") for name in BACKBONES}


def test_networks_that_score_did_not_paint(setup, monkeypatch):
    experiment = Comparison(["VGG19", "ResNet50"])
    run = experiment.runs(setup)[0]
    assert experiment.evaluation_networks(run, setup) == ("ResNet50",)  # one of the random ones
    monkeypatch.setattr(type(setup.networks), "trained", lambda self, name: True)
    assert experiment.evaluation_networks(run, setup) == ("ResNet50", "InceptionV3")
    assert experiment.evaluation_networks(run, replace(setup, quick=True)) == ("ResNet50",)


def test_entropy_is_measured_at_the_style_layers(setup):
    measured = Comparison(["VGG16"], ["raw", "smoothed"]).measurements(setup)["entropy"]
    layers = setup.networks.get("VGG16").style_layers
    for kind in ("plain", "smoothed"):
        assert tuple(measured["VGG16"][kind]) == layers
        assert all(0 < value <= 1 for value in measured["VGG16"][kind].values())
    assert measured["VGG16"]["plain"] != measured["VGG16"]["smoothed"]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((["VGG18"],), "unknown backbone 'VGG18': did you mean VGG19"),
        (([],), "there is no backbone: name at least one"),
        ((["VGG19"], ["balance"]), "unknown treatment 'balance': did you mean balanced"),
    ],
)
def test_bad_names_are_one_line(given, text):
    with pytest.raises(InputError, match=text):
        Comparison(*given)


def test_names_are_taken_in_any_case():
    assert Comparison(["vgg16", "VGG16", "mobilenetv2"]).backbones == ("VGG16", "MobileNetV2")
