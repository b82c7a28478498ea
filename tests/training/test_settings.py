"""Settings of trainings: one declaration for Python, command line, record, and the models' own defaults."""

import inspect

import pytest

from tfstyle import InputError, training
from tfstyle.cli.main import build_parser
from tfstyle.cli.options import given_options
from tfstyle.core.settings import options_of
from tfstyle.training import TRAININGS

FOLDERS = {
    "adain": {"contents": "c", "styles": "s"},
    "gan": {"paintings": "s"},
    "wgan": {"paintings": "s", "photos": "p"},
    "cyclegan": {"paintings": "s", "photos": "p"},
    "attention-cyclegan": {"paintings": "s", "photos": "p"},
}


def make(name, **options):
    return TRAININGS[name](**{**FOLDERS[name], "output": "r", **options})


@pytest.mark.parametrize("name", TRAININGS)
def test_help_states_the_models_own_defaults(name):
    """A default of None is the model's; its number stands in the help, and this test compares it with the model's."""
    settings = make(name)
    resolved = settings.resolved()
    replaced = [each for each in options_of(type(settings)) if getattr(settings, each) is None]
    numbers = {each: getattr(resolved, each) for each in replaced if getattr(resolved, each) is not None}
    numbers = {each: value for each, value in numbers.items() if each not in ("resize", "batch", "crop_size")}
    assert numbers
    for each, value in numbers.items():
        unset = options_of(type(settings))[each].unset
        assert unset.split(",")[0] == f"{value:g}", each


def test_the_models_numbers_are_those_of_the_papers():
    cycle = make("cyclegan").resolved()
    assert (cycle.cycle_weight, cycle.identity_weight, cycle.pool_size) == (10, 0.5, 50)
    assert (cycle.epochs, cycle.batch, cycle.crop_size, cycle.resize, cycle.flip) == (200, 1, 256, 286, True)
    adain = make("adain").resolved()
    assert (adain.learning_rate, adain.decay, adain.batch, adain.crop_size) == (1e-4, 5e-5, 8, 256)
    gan = make("gan").resolved()
    assert (gan.batch, gan.crop_size, gan.resize, gan.latent_dim) == (128, 64, 64, 100)
    photos, noise = make("wgan").resolved(), make("wgan", photos=None).resolved()
    assert (photos.batch, photos.crop_size, photos.critic_steps, photos.content_weight) == (1, 256, 5, 10)
    assert (noise.batch, noise.crop_size, noise.lipschitz, noise.content_weight) == (64, 64, "clipping", None)


def test_given_values_take_the_place_of_the_models():
    assert make("cyclegan", cycle_weight=3.0, n_layers=2).resolved().cycle_weight == 3
    assert make("adain", learning_rate=0.1).resolved().learning_rate == 0.1


@pytest.mark.parametrize("name", TRAININGS)
def test_the_command_line_has_every_option_and_no_other(name):
    folders = [f"--{each}={folder}" for each, folder in FOLDERS[name].items()]
    parser = build_parser("train")
    options = parser.parse_args(["train", name, *folders, "-o", "r"])
    assert options.settings is TRAININGS[name]
    assert set(given_options(options, options.settings)) == {*FOLDERS[name], "output"}
    usage = parser._subparsers._group_actions[0].choices["train"]._subparsers._group_actions[0].choices[name]
    known = {action.dest for action in usage._actions}
    assert known - {"help", "quiet"} == set(options_of(options.settings))


def test_options_of_the_command_line_become_settings():
    arguments = ["--photos", "a", "b", "--paintings", "c", "--output=r", "--no-flip", "--held-out=0.2", "--blocks=3"]
    options = build_parser("train").parse_args(["train", "cyclegan", *arguments])
    settings = options.settings(**given_options(options, options.settings))
    assert settings.folders() == {"photos": ["a", "b"], "paintings": ["c"]}
    assert (settings.flip, settings.held_out, settings.blocks, settings.epochs) == (False, 0.2, 3, 200)


def test_a_misspelt_option_fails_loudly():
    with pytest.raises(TypeError, match="block_count"):
        make("cyclegan", block_count=3)
    with pytest.raises(TypeError, match="blocks"):
        make("attention-cyclegan", blocks=3)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"seed": -1}, "seed -1 .*from 0 to 4294967295"),
        ({"batch": 0}, "batch 0 .*from 1 to 4096"),
        ({"epochs": 1.5}, "epochs 1.5 .*whole number"),
        ({"learning_rate": 0.0}, "learning rate 0 .*above 0"),
        ({"cycle_weight": -1.0}, "cycle weight -1 .*from 0"),
        ({"held_out": 1.0}, "held out 1 .*less than 1"),
        ({"precision": "float16"}, "unknown precision 'float16': .*bfloat16"),
    ],
)
def test_values_of_no_use_are_refused(options, problem):
    with pytest.raises(InputError, match=problem):
        make("cyclegan", **options)


def test_options_that_have_no_effect_are_refused():
    with pytest.raises(InputError, match="blocks is only used with photos: give photos"):
        make("wgan", photos=None, blocks=2)
    with pytest.raises(InputError, match="content weight is only used with photos"):
        make("wgan", photos=None, content_weight=10.0)
    with pytest.raises(InputError, match="latent dim is only used without photos: leave it out"):
        make("wgan", latent_dim=7)


def test_the_fingerprint_has_what_a_continued_training_must_share():
    for name in TRAININGS:
        fingerprint = make(name).fingerprint()
        assert fingerprint["network"] == name
        assert not {"output", "resume", *FOLDERS[name]} & set(fingerprint)
        assert ("epochs" in fingerprint) == ("cyclegan" in name)  # whose learning rate depends on them


def test_documentation_names_every_option():
    for settings in TRAININGS.values():
        assert {"output", "epochs", "crop_size"} <= set(inspect.signature(settings).parameters)


def test_an_unknown_training_suggests_others():
    with pytest.raises(InputError, match="unknown training 'cycle-gan': did you mean cyclegan"):
        training.TRAININGS["cycle-gan"]
