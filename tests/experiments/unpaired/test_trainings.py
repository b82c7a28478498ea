"""The trainings of an experiment: their settings, and their description."""

import dataclasses

import pytest

from tfstyle import InputError
from tfstyle.experiments.unpaired import trainings
from tfstyle.experiments.unpaired.trainings import description, training_settings
from tfstyle.training import AttentionCycleGANTraining, CycleGANTraining, WGANTraining
from tfstyle.training.folder import TrainingRecord

OPTIONS = {"steps": 5000, "crop_size": 64, "filters": 8, "blocks": 2, "seed": 3}


def make(kind, **options):
    return training_settings(kind, "photos", "ink", "out", **{**OPTIONS, **options})


@pytest.mark.parametrize(
    ("kind", "cls"),
    [("cyclegan", CycleGANTraining), ("attention-cyclegan", AttentionCycleGANTraining), ("wgan", WGANTraining)],
)
def test_each_training_has_what_the_experiment_says(kind, cls):
    settings = make(kind)
    assert type(settings) is cls
    assert settings.folders() == {"photos": ["photos"], "paintings": ["ink"]}
    assert (settings.output, settings.resume, settings.held_out) == ("out", True, 0.1)
    assert (settings.crop_size, settings.filters, settings.seed, settings.epochs) == (64, 8, 3, 20)
    if kind != "attention-cyclegan":  # whose generators are U-Nets
        assert settings.blocks == 2


def test_steps_are_those_of_the_generator():
    assert make("cyclegan").steps == 250
    wgan = make("wgan")
    assert (wgan.steps, wgan.critic_steps, wgan.lipschitz) == (1250, 5, "penalty")
    assert (make("cyclegan", steps=120).epochs, make("cyclegan", steps=120).steps) == (2, 60)
    assert make("cyclegan", steps=1).epochs == 1


def test_an_unknown_training_is_refused():
    with pytest.raises(InputError, match="unknown training from photographs 'gan'"):
        make("gan")


@pytest.mark.parametrize("kind", ["cyclegan", "attention-cyclegan", "wgan"])
def test_an_option_that_is_renamed_fails_loudly(kind, monkeypatch):
    """Rather than being left out, as by a check for the attribute."""
    cls = type(make(kind))
    names = ["n_filters" if each.name == "filters" else each.name for each in dataclasses.fields(cls)]
    renamed = dataclasses.make_dataclass(cls.__name__, [(name, object, None) for name in names], kw_only=True)
    monkeypatch.setattr(trainings, cls.__name__, renamed)
    with pytest.raises(TypeError, match="unexpected keyword argument 'filters'"):
        make(kind)


def test_a_training_is_described_by_the_steps_of_its_generator():
    settings = {"steps": 200, "critic_steps": 5, "batch": 1, "crop_size": 64, "seed": 3, "filters": 8, "blocks": None}
    record = TrainingRecord(settings, [{"epoch": 1.0}, {"epoch": 3.0}])
    assert (record.generator_steps, record.generator_steps_after(record.rows[0])) == (120, 40)
    assert description(record) == "120 generator steps of 1; 64 pixels, 8 filters, critic steps 5; seed 3"
