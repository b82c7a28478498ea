"""CycleGAN with U-Nets and attention: its networks against PyTorch, and the guard against copies."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle import InputError
from tfstyle.layers import SelfAttention2D, SpectralConv2D
from tfstyle.models import AttentionCycleGAN
from tfstyle.models.adversarial.networks.unet_generator import unet_generator
from tfstyle.models.torch_weights import load

SMALL = {"size": 16, "filters": 4, "n_layers": 2, "pool_size": 2, "seed": 0}

# The U-Net of junyanz/pytorch-CycleGAN-and-pix2pix with 3 levels and 4 filters, written anew, in PyTorch 2.15, with
# `waves` as weights, for a picture of sin(0.37 n); every third pixel.
GOLDEN = [
    -0.165274,
    -0.775443,
    -0.69028,
    -0.015298,
    -0.367437,
    -0.758416,
    -0.51657,
    -0.578479,
    -0.553017,
    -0.108373,
    -0.843241,
    -0.782531,
    -0.881775,
    -0.816127,
    0.176637,
    0.132747,
    -0.866845,
    -0.9652,
    0.051643,
    -0.606786,
    -0.522939,
    -0.32572,
    -0.926199,
    -0.790238,
    0.19546,
    0.202553,
    -0.699132,
    -0.315136,
    -0.784652,
    -0.443332,
    -0.429434,
    -0.692884,
    -0.539427,
    -0.821598,
    -0.377509,
    -0.298121,
    -0.099817,
    -0.892325,
    -0.586039,
    0.115951,
    -0.161844,
    -0.859305,
    -0.337907,
    -0.815944,
    -0.56155,
    -0.244925,
    -0.801953,
    -0.561355,
    -0.380381,
    -0.624551,
    -0.466708,
    -0.568542,
    -0.684545,
    -0.578579,
]
LAYOUT = {
    "model.model.0": ((4, 3, 4, 4), 4),
    "model.model.1.model.1": ((8, 4, 4, 4), 8),
    "model.model.1.model.3.model.1": ((16, 8, 4, 4), 16),
    "model.model.1.model.3.model.3": ((16, 8, 4, 4), 8),
    "model.model.1.model.5": ((16, 4, 4, 4), 4),
    "model.model.3": ((8, 3, 4, 4), 3),
}


def waves(shape, number):
    n = np.arange(np.prod(shape), dtype=np.float64)
    values = np.sin(0.7 * n + number) + 0.5 * np.cos(0.13 * n * (number + 1))
    return (values / np.sqrt(np.prod(shape[1:]))).reshape(shape).astype("float32")


@pytest.fixture
def model():
    return AttentionCycleGAN(**SMALL)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).random((2, 16, 16, 3), "float32")


def test_the_unet_is_that_of_pytorch():
    network = unet_generator(depth=3, filters=4)
    state = {}
    for number, (name, (shape, outputs)) in enumerate(LAYOUT.items()):
        state[f"{name}.weight"], state[f"{name}.bias"] = waves(shape, 2 * number), waves((outputs,), 2 * number + 1)
    load(network, dict(sorted(state.items())))
    picture = np.sin(0.37 * np.arange(16 * 8 * 3)).reshape(1, 16, 8, 3).astype("float32")
    np.testing.assert_allclose(np.ravel(network(picture)[0, ::3, ::3]), GOLDEN, atol=1e-4)


def test_parameters_of_the_papers_unet():
    assert unet_generator().count_params() == 54_409_603


def test_attention_is_in_all_networks(model):
    for network in model.generators():
        assert sum(isinstance(layer, SelfAttention2D) for layer in network.layers) == 2
    for network in model.discriminators():
        assert sum(isinstance(layer, SelfAttention2D) for layer in network.layers) == 1
    spectral = AttentionCycleGAN(**SMALL, spectral=True).discriminator
    assert sum(isinstance(layer, SpectralConv2D) for layer in spectral.layers) == 4
    assert not any(isinstance(layer, SpectralConv2D) for layer in model.discriminator.layers)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 30)])
def test_any_size_comes_out_as_it_went_in(model, size):
    pictures = np.random.default_rng(0).random((2, *size, 3), "float32")
    assert model(pictures).shape == pictures.shape
    assert model.stylize(pictures[0]).shape == (*size, 3)


def test_where_positions_look(model, pictures):
    maps = model.attention_maps(pictures[0])
    assert {name: each.shape for name, each in maps.items()} == {
        "down": (2, 2, 1, 1),
        "up": (2, 2, 1, 1),
        "discriminator": (4, 4, 2, 2),
    }
    large = model.attention_maps(np.random.default_rng(0).random((40, 64, 3)))["down"]
    assert large.shape == (6, 8, 3, 4)
    np.testing.assert_allclose(large.sum((2, 3)), 1, rtol=1e-5)
    assert large.std() > 0


def test_without_the_outermost_skip_nothing_fine_is_passed_by(pictures):
    # What the first level sees in one pixel reaches the picture only through the deeper ones.
    for skip in (True, False):
        generator = AttentionCycleGAN(**SMALL, skip_outermost=skip).generator
        assert generator.get_layer("last").kernel.shape[-1] == (8 if skip else 4)
        for name in ("down2", "up1"):
            generator.get_layer(name).kernel.assign(0 * generator.get_layer(name).kernel)
        changed = 1 - pictures
        difference = float(tf.reduce_max(tf.abs(generator(changed) - generator(pictures))))
        assert (difference > 1e-5) == skip


@pytest.mark.large
def test_a_copy_is_seen_in_training(model, pictures):
    model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-4), identity_weight=0.1)
    data = tf.data.Dataset.from_tensor_slices((pictures, pictures[::-1])).batch(2, drop_remainder=True)
    history = model.fit(data, epochs=2, verbose=0).history
    assert history["copy_ratio"][0] > 0.5
    assert all(np.isfinite(values).all() for values in history.values())
    for network in model.generators():
        gammas = [float(layer.gamma) for layer in network.layers if isinstance(layer, SelfAttention2D)]
        assert all(gammas)  # attention has begun to count


@pytest.mark.large
def test_what_is_saved(model, pictures, tmp_path):
    model.compile(identity_weight=0.2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(again(pictures), model(pictures))
    assert (again.get_config(), again.identity_weight) == (model.get_config(), 0.2)
    assert AttentionCycleGAN(size=(64, 48), filters=2, pool_size=0).get_config()["depth"] == 5


def test_what_can_not_be_used_is_said():
    with pytest.raises(InputError, match="depth 1 can't be used: give a whole number from 2 to 12"):
        AttentionCycleGAN(depth=1)
