"""Files that were written before classes and options were renamed: they load, and give what they gave."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import tfstyle.models
from tfstyle.models import pretrained

DATA = Path(__file__).parent / "data"  # written by the code of ebc28cb
NAMES = sorted(path.stem for path in DATA.glob("*.keras"))


def outputs(name, model):
    """What the file's model gives for the inputs beside it."""
    data = np.load(DATA / f"{name}.npz")
    if "inputs" in data:
        return np.asarray(model(data["inputs"]))
    options = {"near": 0.2} if name == "depth-adain" else {"alpha": 0.75}
    return model.stylize(data["content"], data["style"], **options)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """The outputs of all files in a process that imports nothing but tfstyle."""
    folder = tmp_path_factory.mktemp("outputs")
    code = f"""
import sys
import numpy as np
import tfstyle
sys.path.insert(0, {str(Path(__file__).parent)!r})
for name in {NAMES!r}:
    load = tfstyle.models.load if name != "layers" else tfstyle.models.pretrained.read
    model = load(f"{DATA}/{{name}}.keras")
    from test_former_files import outputs
    np.save(f"{folder}/{{name}}.npy", outputs(name, model))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)
    return folder


def test_each_file_is_small():
    assert len(NAMES) == 7
    assert all((DATA / f"{name}.keras").stat().st_size < 300_000 for name in NAMES)


@pytest.mark.large
@pytest.mark.parametrize("name", NAMES)
def test_a_former_file_gives_the_same_in_a_fresh_process(name, fresh):
    expected = np.load(DATA / f"{name}.npz")["outputs"]
    np.testing.assert_allclose(np.load(fresh / f"{name}.npy"), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_keras_loads_a_former_file_and_saves_it_under_the_new_names(name, tmp_path):
    model = keras.saving.load_model(DATA / f"{name}.keras")
    model.save(tmp_path / "again.keras")
    again = pretrained.read(tmp_path / "again.keras")
    np.testing.assert_array_equal(outputs(name, again), outputs(name, model))
    former = pretrained.read(DATA / f"{name}.keras")
    for optimizer in ("optimizer", "discriminator_optimizer"):
        if hasattr(model, optimizer):
            states = [[np.asarray(v) for v in getattr(each, optimizer).variables] for each in (former, again)]
            assert name != "cyclegan" or states[0][0] > 0  # its optimizers have made a step
            for a, b in zip(*states, strict=True):
                np.testing.assert_array_equal(a, b)


def test_new_files_have_new_names(tmp_path):
    model = tfstyle.models.load(DATA / "cyclegan.keras")
    config = keras.saving.serialize_keras_object(model)
    assert "n_layers" in config["config"]
    assert "layers" not in config["config"]
    rate = config["compile_config"]["generator_optimizer"]["config"]["learning_rate"]
    assert rate["registered_name"] == "tfstyle>ConstantThenLinearDecay"
    layers = keras.saving.load_model(DATA / "layers.keras")
    names = [keras.saving.get_registered_name(type(layer)) for layer in layers.layers[1:]]
    assert names == [
        "tfstyle>ChannelProjection",
        "tfstyle>StatelessDropout",
        "tfstyle>UpsamplingConv2DTranspose",
        "tfstyle>UpsamplingConv2DTranspose",
    ]
