"""Every layer and model: configurations, fresh processes, breaks, half precision, several devices and workers."""

import gc
import json

import battery
import graphs
import keras
import numpy as np
import pytest
from cases import CASES, LAYERS, MODELS
from tensorflow.python.framework.ops import gradient_registry

from tfstyle import layers, models

TOGETHER = [(name, way) for name, case in MODELS.items() for way in case.together]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What all cases give and become in this process, and in a fresh one that has loaded them."""
    folder = tmp_path_factory.mktemp("saved")
    with graphs.eager():
        here = battery.save_all(folder)
    battery.wait_for(battery.run("reload", folder))
    return here, battery.read(folder / "results.npz")


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """What models become on one device, on two, and with two workers."""
    folder = tmp_path_factory.mktemp("devices")
    names = {way: [name for name, each in TOGETHER if each == way] for way in ("devices", "workers")}
    processes = [
        battery.run("devices", folder / "devices.npz", *names["devices"]),
        *battery.workers(folder / "workers.npz", *names["workers"]),
    ]
    battery.wait_for(*processes)
    return {**battery.read(folder / "devices.npz"), **battery.read(folder / "workers.npz")}


def test_all_are_in_the_battery():
    public = {name for name in layers.__all__ if isinstance(getattr(layers, name), type)}
    assert {name for name in public if issubclass(getattr(layers, name), keras.layers.Layer)} <= set(LAYERS)
    named = {name.split()[0] for name in MODELS}
    public = {name for name in models.__all__ if isinstance(getattr(models, name), type)}
    assert {name for name in public if issubclass(getattr(models, name), keras.Model)} == named


@pytest.mark.parametrize("name", CASES)
def test_it_is_made_again_from_its_configuration(name):
    item = CASES[name].make()
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(item)))
    again = keras.saving.deserialize_keras_object(config, safe_mode=True)
    assert type(again) is type(item)
    assert json.loads(json.dumps(again.get_config())) == json.loads(json.dumps(item.get_config()))


@pytest.mark.large
@pytest.mark.parametrize("name", CASES)
def test_it_is_the_same_in_a_fresh_process(name, both):
    here, there = both
    battery.assert_close(there[name]["outputs"], here[name]["outputs"], atol=1e-6)


@pytest.mark.large
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("way", ["continued", "resumed"])
def test_there_it_goes_on_as_if_there_had_been_no_break(name, way, both):
    here, there = both
    battery.assert_close(there[name][way], here[name][way], rtol=1e-5, atol=1e-6)


def finite(model, case, history):
    """Whether all that has come of a training is."""
    assert all(np.isfinite(values).all() for values in history.values())
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    for array in battery.outputs(model, case):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()


@pytest.mark.large
@pytest.mark.parametrize("name", MODELS)
def test_training_in_bfloat16_with_callbacks(name, tmp_path):
    case = MODELS[name]
    model = case.make("mixed_bfloat16")
    model.compile(steps_per_execution=2)
    callbacks = [
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras"),
    ]
    data = battery.dataset(case)
    history = model.fit(data, validation_data=data, epochs=2, verbose=0, callbacks=callbacks).history
    finite(model, case, history)
    assert {key for key in history if "val_" in key} == {f"val_{key}" for key in history if "val_" not in key}
    assert (tmp_path / "log.csv").read_text().count("\n") == 3
    assert (tmp_path / "2.keras").is_file()


@pytest.mark.large
@pytest.mark.parametrize("name", MODELS)
def test_training_in_float16_with_scaled_losses(name):
    case = MODELS[name]
    model = case.make("mixed_float16")
    model.compile()
    finite(model, case, model.fit(battery.dataset(case), epochs=2, verbose=0).history)
    for optimizer in ("optimizer", "discriminator_optimizer"):
        scaled = getattr(model, optimizer, model.optimizer)
        assert isinstance(scaled, keras.optimizers.LossScaleOptimizer)
        assert int(scaled.inner_optimizer.iterations) > 0  # it leaves out steps that overflow


@pytest.mark.large
@pytest.mark.parametrize(("name", "way"), TOGETHER)
def test_several_devices_train_as_one_does(name, way, together):
    alone, results = together[f"{name} alone"], together[f"{name} {way}"]
    battery.assert_close(results["weights"], alone["weights"], rtol=1e-6, atol=1e-8)
    battery.assert_close(results["logs"], alone["logs"], rtol=1e-5)
    assert min(results["moved"].values()) > 1e-6  # otherwise the comparison says nothing


@pytest.mark.parametrize("name", ["AdaIN", "CycleGAN", "GAN"])
def test_nothing_is_left_of_a_training_that_is_gone(name):
    """TensorFlow's registry of gradients would keep its graph, by layers of Keras and of our own."""

    def registered():
        gc.collect()
        return {name for name in gradient_registry._registry if name.startswith("CustomGradient")}

    before = registered()
    model = MODELS[name].make()
    model.compile(**({"critic_steps": 1} if hasattr(model, "critic") else {}))
    model.fit(battery.dataset(MODELS[name]), verbose=0)
    del model
    assert registered() <= before
