"""AdaIN as a Keras model: its losses, what can be controlled, training, and saving."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfstyle
from tfstyle import Backbone, InputError, images
from tfstyle.images import color_transfer
from tfstyle.models import AdaIN, StyleCode

LAYER = "block2_conv1"


@pytest.fixture
def model(vgg):
    """Untrained, of two levels."""
    return AdaIN(vgg, LAYER, seed=0)


@pytest.fixture(scope="module")
def contents():
    return np.random.default_rng(0).random((2, 34, 37, 3), "float32")


@pytest.fixture(scope="module")
def styles():
    return np.random.default_rng(1).random((2, 40, 32, 3), "float32") ** 2


@pytest.fixture(scope="module")
def smooth(photo, painting):
    """Contents and styles that a tiny decoder can learn from: float32 (4, 32, 32, 3) each."""
    photo = images.load(photo, (40, 56)).rgb
    corners = [(0, 0), (0, 20), (8, 0), (8, 20)]
    return (
        np.stack([photo[i : i + 32, j : j + 32] for i, j in corners]),
        np.stack([painting[i : i + 32, j : j + 32] for i, j in [(0, 0), (0, 16), (16, 0), (16, 16)]]),
    )


def features_of(model, pictures, layer=LAYER):
    """Scaled features in float64, from NumPy's padding and the backbone itself."""
    pads = [(0, 0), *((0, -side % 2) for side in pictures.shape[1:3]), (0, 0)]
    padded = np.pad(pictures, pads, mode="reflect")
    found = model.encoder.backbone(padded, [layer])[layer].numpy().astype("float64")
    return found / model.encoder.scales[layer].numpy()


def normalized(content, style):
    """AdaIN in float64."""
    (mean, deviation), (wanted, spread) = (
        (x.mean((1, 2), keepdims=True), np.sqrt(x.var((1, 2), ddof=1, keepdims=True) + 1e-5))
        for x in (content, style)
    )
    return spread * (content - mean) / deviation + wanted


# What it paints


def test_it_decodes_contents_with_the_statistics_of_styles(model, contents, styles):
    target = normalized(features_of(model, contents), features_of(model, styles))
    want = model.decoder(target.astype("float32"))[:, :34, :37]
    np.testing.assert_allclose(model((contents, styles)), want, rtol=1e-3, atol=1e-4)


def test_defaults_are_the_papers(vgg):
    model = AdaIN(vgg)
    assert model.layer == "block4_conv1"
    assert model.style_layers == ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")
    assert model.decoder.count_params() == 3_505_219
    assert AdaIN(vgg, "block3_conv1").style_layers == ("block1_conv1", "block2_conv1", "block3_conv1")
    assert AdaIN(vgg, "block1_conv2", ["block1_conv2"]).style_layers == ("block1_conv2",)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (50, 36)])
def test_any_size_in_the_same_size_out(vgg, size):
    model = AdaIN(vgg, "block3_conv1")
    picture = np.random.default_rng(0).random((*size, 3), "float32")
    assert model((picture[None], picture[None, :32])).shape == (1, *size, 3)
    found = model.stylize(picture, picture[:, :32])
    assert found.shape == (*size, 3)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.large
def test_backbones_that_lose_borders_keep_the_size_too():
    model = AdaIN(Backbone("InceptionV3", "random"), "activation_2", seed=0)
    assert not model._exact
    pictures = np.random.default_rng(0).random((1, 81, 77, 3), "float32")
    assert model((pictures, pictures)).shape == pictures.shape
    model.compile()
    shapes = tf.TensorSpec((1, None, None, 3))
    pairs = tf.data.Dataset.from_generator(lambda: [(pictures, pictures)], output_signature=(shapes, shapes))
    assert np.isfinite(model.fit(pairs, verbose=0).history["loss"][0])


def test_too_small_pictures_are_refused(model, contents):
    with pytest.raises(InputError, match="pictures of 37x20 pixels are too small for VGG19"):
        model.stylize(contents[0, :20], contents[1])


def test_a_picture_in_its_own_style_is_its_own_features_decoded(model, contents):
    want = model.decoder(features_of(model, contents).astype("float32"))[:, :34, :37]
    np.testing.assert_allclose(model((contents, contents)), want, rtol=1e-3, atol=1e-4)
    alone = model.stylize(contents[0], contents[0])
    np.testing.assert_allclose(alone, np.clip(want[0], 0, 1), atol=1e-4)


def test_in_a_batch_as_alone_and_by_every_way(model, contents, styles):
    together = model((contents, styles)).numpy()
    np.testing.assert_allclose(model.predict((contents, styles), verbose=0), together, atol=1e-5)
    pairs = tf.data.Dataset.from_tensor_slices((contents, styles)).batch(1)
    np.testing.assert_allclose(model.predict(pairs, verbose=0), together, atol=1e-4)
    for content, style, painted in zip(contents, styles, together, strict=True):
        np.testing.assert_allclose(model((content[None], style[None]))[0], painted, atol=1e-4)
        np.testing.assert_allclose(model.stylize(content, style), np.clip(painted, 0, 1), atol=1e-4)


# What can be controlled


def test_alpha_0_is_the_content_decoded_and_alpha_mixes_features(model, contents, styles):
    features = features_of(model, contents[:1])
    target = normalized(features, features_of(model, styles[:1]))
    for alpha in (0, 0.3, 1):
        mixed = (alpha * target + (1 - alpha) * features).astype("float32")
        want = np.clip(model.decoder(mixed)[0, :34, :37], 0, 1)
        np.testing.assert_allclose(model.stylize(contents[0], styles[0], alpha=alpha), want, atol=1e-4)


def test_alpha_as_a_map_of_depths(model, contents, styles):
    content, style = contents[0], styles[0]
    even = np.full((34, 37), 0.3, "float32")
    plain = model.stylize(content, style, alpha=0.3)
    np.testing.assert_allclose(model.stylize(content, style, alpha=even), plain, atol=1e-5)
    left = np.zeros((34, 37), "float32")
    left[:, :16] = 1
    found = model.stylize(content, style, alpha=left)
    # Two convolutions, one of them before the upsampling, see 3 pixels: what is far from the edge knows of one side.
    np.testing.assert_allclose(found[:, :11], model.stylize(content, style)[:, :11], atol=1e-4)
    np.testing.assert_allclose(found[:, 21:], model.stylize(content, style, alpha=0)[:, 21:], atol=1e-4)


def test_styles_blend_in_features(model, contents, styles):
    content = contents[0]
    features = features_of(model, contents[:1])
    targets = [normalized(features, features_of(model, style[None])) for style in styles]
    want = np.clip(model.decoder((0.25 * targets[0] + 0.75 * targets[1]).astype("float32"))[0, :34, :37], 0, 1)
    found = model.stylize(content, list(styles), style_weights=[1, 3])
    np.testing.assert_allclose(found, want, atol=1e-4)
    for k in range(2):
        alone = model.stylize(content, styles[k])
        one_hot = model.stylize(content, list(styles), style_weights=np.eye(2)[k])
        np.testing.assert_allclose(one_hot, alone, atol=1e-5)
    np.testing.assert_allclose(
        model.stylize(content, list(styles)),
        model.stylize(content, list(styles), style_weights=[0.5, 0.5]),
        atol=1e-6,
    )


def test_style_codes_are_the_styles(model, contents, styles, tmp_path):
    codes = [model.encode_style(style) for style in styles]
    raw = model.encoder.backbone(styles[:1], [LAYER])[LAYER].numpy().astype("float64")[0]
    np.testing.assert_allclose(codes[0].mean, raw.mean((0, 1)), rtol=1e-4)
    epsilon = 1e-5 * model.encoder.scales[LAYER].numpy() ** 2
    np.testing.assert_allclose(codes[0].deviation, np.sqrt(raw.var((0, 1), ddof=1) + epsilon), rtol=1e-4)
    assert codes[0].layer == "VGG19/block2_conv1"
    codes[0].save(tmp_path / "code.npz")
    again = StyleCode.load(tmp_path / "code.npz")
    np.testing.assert_array_equal(model.stylize(contents[0], again), model.stylize(contents[0], styles[0]))
    np.testing.assert_allclose(
        model.stylize(contents[0], StyleCode.mix(codes, [0.25, 0.75])),
        model.stylize(contents[0], [styles[0], codes[1]], style_weights=[1, 3]),
        atol=1e-5,
    )


def test_codes_outlive_other_scales_and_are_of_one_layer(model, vgg, contents, styles):
    code = model.encode_style(styles[0])
    model.encoder.adapt([contents])
    np.testing.assert_allclose(model.encode_style(styles[0]).mean, code.mean, rtol=1e-4)
    with pytest.raises(InputError, match=r"style code .*block2_conv1.*block1_conv2: encode the style anew"):
        AdaIN(vgg, "block1_conv2").stylize(contents[0], code)


def test_a_mask_of_the_style_says_what_of_it_counts(model, styles):
    whole = model.encode_style(styles[0])
    same = model.encode_style(styles[0], style_mask=np.ones((40, 32), "float32"))
    np.testing.assert_allclose(same.mean, whole.mean, rtol=1e-5)
    np.testing.assert_allclose(same.deviation, whole.deviation, rtol=1e-5)
    top = np.zeros((40, 32), "float32")
    top[:20] = 1
    features = model.encoder.backbone(styles[:1], [LAYER])[LAYER].numpy()[0, :10].astype("float64")
    found = model.encode_style(styles[0], style_mask=top)
    np.testing.assert_allclose(found.mean, features.mean((0, 1)), rtol=1e-4)
    epsilon = 1e-5 * model.encoder.scales[LAYER].numpy() ** 2
    np.testing.assert_allclose(found.deviation, np.sqrt(features.var((0, 1), ddof=1) + epsilon), rtol=1e-4)


def test_a_full_mask_is_no_mask_and_masks_place_styles(model, contents, styles):
    content = contents[0]
    plain = model.stylize(content, styles[0])
    full = model.stylize(content, styles[0], content_masks=np.ones((34, 37), "float32"))
    np.testing.assert_array_equal(full, plain)
    left = np.zeros((34, 37), "float32")
    left[:, :16] = 1
    both = model.stylize(content, list(styles), content_masks=[left, 1 - left])
    swapped = model.stylize(content, list(styles[::-1]), content_masks=[1 - left, left])
    np.testing.assert_allclose(both, swapped, atol=1e-5)
    only = model.stylize(content, styles[0], content_masks=left)
    np.testing.assert_allclose(only[:, :11], both[:, :11], atol=1e-4)
    np.testing.assert_allclose(only[:, 21:], model.stylize(content, styles[0], alpha=0)[:, 21:], atol=1e-4)


def test_colours_can_be_kept(model, contents, styles):
    photo, painting = images.load(contents[0]), images.load(styles[0])
    grey, matched = color_transfer.preprocess("luminance", photo, [painting])
    want = color_transfer.postprocess("luminance", model.stylize(grey, matched), photo)
    np.testing.assert_array_equal(model.stylize(photo, painting, preserve_color="luminance"), want)
    matched = color_transfer.preprocess("statistics", photo, [painting])[1]
    want = model.stylize(photo, matched)
    np.testing.assert_array_equal(model.stylize(photo, painting, preserve_color="statistics"), want)


def test_what_can_not_be_controlled_is_said(model, contents, styles):
    code = model.encode_style(styles[0])
    for options, message in [
        ({"styles": []}, "no style image: give at least one"),
        ({"style_weights": [1, 2]}, "style weights 1,2 .* 1 style images: give 1"),
        ({"alpha": 2}, "alpha 2 can't be used: give a number from 0 to 1"),
        ({"preserve_color": "hue"}, "unknown way to keep colours 'hue': "),
        (
            {"styles": code, "preserve_color": "luminance"},
            "colours can't be kept with style codes.*: give the style images",
        ),
        ({"content_masks": np.zeros((34, 37))}, "the content mask is black or transparent all over: "),
        ({"content_masks": [np.ones((34, 37))] * 2}, "2 content masks for 1 style image: give one"),
    ]:
        with pytest.raises(InputError, match=message):
            model.stylize(contents[0], **{"styles": styles[0], **options})


# How it is trained


@pytest.mark.parametrize(("reduction", "weight"), [("sum", 1e-2), ("mean", 10.0)])
def test_losses_against_numpy(vgg, contents, styles, reduction, weight):
    layers = ["block1_conv1", "block2_conv1"]
    model = AdaIN(vgg, LAYER, layers, seed=0)
    model.compile(reduction=reduction)
    painted = model((contents, styles)).numpy()
    target = normalized(features_of(model, contents), features_of(model, styles))
    content = np.mean((features_of(model, painted) - target) ** 2)
    style = 0.0
    for layer in layers:
        a, b = features_of(model, painted, layer), features_of(model, styles, layer)
        squares = (a.mean((1, 2)) - b.mean((1, 2))) ** 2
        squares += (np.sqrt(a.var((1, 2)) + 1e-5) - np.sqrt(b.var((1, 2)) + 1e-5)) ** 2
        style += getattr(squares, reduction)(axis=-1).mean()
    logs = model.evaluate((contents, styles), verbose=0, return_dict=True)
    assert logs["content"] == pytest.approx(content, rel=1e-3)
    assert logs["style"] == pytest.approx(weight * style, rel=1e-3)
    assert logs["loss"] == pytest.approx(content + weight * style, rel=1e-3)


def test_compiled_without_arguments_it_is_the_paper(model):
    model.compile()
    optimizer = model.optimizer.get_config()
    assert (optimizer["beta_1"], optimizer["beta_2"], optimizer["epsilon"]) == (0.9, 0.999, 1e-8)
    rate = model.optimizer._learning_rate
    for step in (0, 1000, 160_000):
        assert float(rate(step)) == pytest.approx(1e-4 / (1 + 5e-5 * step), rel=1e-5)
    assert (model.content_weight, model.style_weight, model.reduction) == (1.0, 1e-2, "sum")


def test_some_steps_lower_the_loss_and_leave_the_encoder(model, smooth):
    before = [weight.numpy() for weight in model.encoder.weights]
    model.compile(keras.optimizers.Adam(2e-3))
    pairs = tf.data.Dataset.from_tensor_slices(smooth).batch(2)
    history = model.fit(pairs, epochs=15, verbose=0).history
    assert set(history) == {"loss", "content", "style"}
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    for name in ("loss", "content", "style"):
        assert np.isfinite(history[name]).all()
    for a, b in zip(before, model.encoder.weights, strict=True):
        np.testing.assert_array_equal(a, b.numpy())


@pytest.mark.large
def test_datasets_arrays_and_validation_are_the_same_pairs(vgg, smooth):
    contents, styles = smooth
    pairs = tf.data.Dataset.from_tensor_slices(smooth).batch(2)
    losses = []
    for data in ((pairs,), (contents, styles), ((contents, styles),)):
        model = AdaIN(vgg, LAYER, seed=0)
        model.compile()
        validation = pairs if data[0] is pairs else smooth
        options = {} if data[0] is pairs else {"batch_size": 2, "shuffle": False}
        history = model.fit(*data, verbose=0, validation_data=validation, **options).history
        losses.append([history["loss"][0], history["val_loss"][0], history["val_style"][0]])
    np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-4)


def test_neither_making_nor_training_touches_global_seeds(vgg, smooth):
    keras.utils.set_random_seed(3)
    state = np.random.get_state()[1].copy()
    model = AdaIN(vgg, LAYER, seed=0)
    model.compile()
    model.fit(*smooth, batch_size=2, shuffle=False, verbose=0)
    model.stylize(smooth[0][0], smooth[1][0])
    assert (np.random.get_state()[1] == state).all()


@pytest.mark.large
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_other_precisions_are_finite_and_near(vgg, smooth, policy):
    contents, styles = smooth
    plain = AdaIN(vgg, LAYER, seed=0)
    half = Backbone("VGG19", "random", precision="bfloat16") if policy == "mixed_bfloat16" else vgg
    model = AdaIN(half, LAYER, dtype=policy)
    model.decoder.set_weights(plain.decoder.get_weights())
    found = model((contents, styles)).numpy()
    assert found.dtype == (np.float64 if policy == "float64" else np.float32)
    want = plain((contents, styles))
    np.testing.assert_allclose(found, want, atol={"mixed_bfloat16": 0.1, "mixed_float16": 0.02}.get(policy, 1e-4))
    model.compile(keras.optimizers.Adam(1e-3))
    history = model.fit(contents, styles, batch_size=2, epochs=3, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert all(np.isfinite(weight).all() for weight in model.decoder.get_weights())
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == (policy == "mixed_float16")


def test_float16_is_not_for_the_encoder():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        with pytest.raises(InputError, match="VGG16 computes in float16, which its features overflow"):
            AdaIN(Backbone("VGG16", "random"), "block1_conv2")
    finally:
        keras.config.set_dtype_policy(policy)


def test_what_is_compiled_wrongly_is_said(model):
    for options, message in [
        ({"loss": "mse"}, "AdaIN takes no loss, .*: leave out loss"),
        ({"metrics": ["mse"]}, "AdaIN takes no metrics, .*: leave out metrics"),
        ({"reduction": "average"}, "unknown reduction 'average': use one of"),
        ({"style_weight": -1}, "style_weight -1 is negative: give 0 or more"),
    ]:
        with pytest.raises(InputError, match=f"^{message}"):
            model.compile(**options)


TWO_DEVICES = """
import json
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
import numpy as np
from tfstyle import Backbone
from tfstyle.models import AdaIN

random = np.random.default_rng(0)
contents, styles = random.random((2, 4, 32, 32, 3), "float32")
pairs = tf.data.Dataset.from_tensor_slices((contents, styles)).batch(4)
found = []
for strategy in (tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])):
    with strategy.scope():
        model = AdaIN(Backbone("VGG16", "random"), "block1_conv2", seed=0)
        model.compile(keras.optimizers.SGD(1e-7))
    history = model.fit(pairs, epochs=2, verbose=0).history
    found.append([strategy.num_replicas_in_sync, history, [float(w.sum()) for w in model.decoder.get_weights()]])
print(json.dumps(found))
"""


@pytest.mark.large
def test_two_devices_train_as_one_does():
    run = subprocess.run([sys.executable, "-c", TWO_DEVICES], capture_output=True, text=True, check=True, timeout=300)
    alone, together = json.loads(run.stdout.splitlines()[-1])
    assert (alone[0], together[0]) == (1, 2)
    for name in ("loss", "content", "style"):
        np.testing.assert_allclose(together[1][name], alone[1][name], rtol=1e-3)
    np.testing.assert_allclose(together[2], alone[2], rtol=1e-3, atol=1e-4)


# What is saved

FRESH = """
import sys
import keras
import numpy as np
import tfstyle.models
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
data = np.load(sys.argv[2])
pair = data["contents"], data["styles"]
painted = model((pair[0], pair[1])).numpy()
steps, moments = int(model.optimizer.iterations), [v.numpy().sum() for v in model.optimizer.variables]
model.fit(*pair, batch_size=2, shuffle=False, verbose=0, initial_epoch=1, epochs=2)
np.savez(sys.argv[3], painted=painted, steps=steps, moments=moments, reduction=model.reduction,
         weight=model.style_weight, **{str(i): w for i, w in enumerate(model.decoder.get_weights())})
"""


@pytest.mark.large
def test_a_fresh_process_goes_on_exactly_where_it_was(model, smooth, tmp_path):
    contents, styles = smooth
    model.encoder.adapt([contents])
    model.compile(reduction="mean", style_weight=3.0)
    options = {"batch_size": 2, "shuffle": False, "verbose": 0}
    model.fit(contents, styles, **options)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", contents=contents, styles=styles)
    painted = model((contents, styles)).numpy()
    moments = [variable.numpy().sum() for variable in model.optimizer.variables]
    model.fit(contents, styles, initial_epoch=1, epochs=2, **options)
    paths = [str(tmp_path / name) for name in ("model.keras", "data.npz", "found.npz")]
    subprocess.run([sys.executable, "-c", FRESH, *paths], capture_output=True, text=True, check=True, timeout=300)
    found = np.load(tmp_path / "found.npz")
    np.testing.assert_allclose(found["painted"], painted, atol=1e-6)
    assert found["steps"] == 2
    np.testing.assert_allclose(found["moments"], moments, rtol=1e-5)
    assert (str(found["reduction"]), float(found["weight"])) == ("mean", 3.0)
    for i, weight in enumerate(model.decoder.get_weights()):
        np.testing.assert_allclose(found[str(i)], weight, atol=1e-7)


def test_weights_alone_and_configurations_come_back(model, vgg, contents, styles, tmp_path):
    model.save_weights(tmp_path / "model.weights.h5")
    other = AdaIN(vgg, LAYER, seed=1)
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other((contents, styles)), model((contents, styles)))
    again = AdaIN.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(again.decoder.get_weights()[0], model.decoder.get_weights()[0])  # the same seed
    assert json.loads(json.dumps(model.get_config()))["layer"] == LAYER


def test_a_saved_model_is_as_large_as_its_decoder(vgg, tmp_path):
    model = AdaIN(vgg)
    model.save(tmp_path / "model.keras")
    assert (tmp_path / "model.keras").stat().st_size < 4.1 * model.decoder.count_params() + 2**20


@pytest.mark.large
def test_training_is_backed_up_and_restored(vgg, smooth, tmp_path):
    def interrupt(epoch, logs=None):
        if epoch == 1:
            raise InterruptedError

    found = []
    for interrupted in (False, True):
        for attempt in range(1 + interrupted):
            model = AdaIN(vgg, LAYER, seed=0)
            model.compile()
            callbacks = [keras.callbacks.BackupAndRestore(tmp_path / f"backup{interrupted}")]
            if interrupted and attempt == 0:
                callbacks.append(keras.callbacks.LambdaCallback(on_epoch_begin=interrupt))
            try:
                model.fit(*smooth, batch_size=2, shuffle=False, epochs=3, callbacks=callbacks, verbose=0)
            except InterruptedError:
                continue
        found.append((int(model.optimizer.iterations), model.decoder.get_weights()))
    assert found[0][0] == found[1][0] == 6
    for a, b in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)


def test_a_saved_model_for_serving_takes_any_size(model, contents, styles, tmp_path):
    want = model((contents, styles)).numpy()
    model.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(tmp_path / "served")
    np.testing.assert_allclose(served.serve((contents, styles)), want, atol=1e-4)
    assert served.serve((contents[:1, :32], styles[:1])).shape == (1, 32, 37, 3)


def test_a_decoder_of_pytorch_is_taken(model, contents, styles):
    state = {}
    for place, layer in zip((1, 5, 8), (x for x in model.decoder.layers if x.weights), strict=True):
        state[f"decoder.{place}.weight"] = layer.kernel.numpy().transpose(3, 2, 0, 1)
        state[f"decoder.{place}.bias"] = layer.bias.numpy()
    want = model((contents, styles)).numpy()
    other = AdaIN(model.encoder.backbone, LAYER, seed=1)
    assert np.abs(other((contents, styles)) - want).max() > 0.01
    other.load_torch_decoder(state)
    np.testing.assert_allclose(other((contents, styles)), want, atol=1e-6)


def test_what_is_no_pair_is_said(model, contents):
    for given in (contents, [contents] * 3, {"content": contents, "style": contents}):
        with pytest.raises(InputError, match="AdaIN takes pairs: give contents and styles"):
            model(given)


def test_it_is_found_where_users_look():
    assert tfstyle.models.AdaIN is AdaIN
    assert "models" in dir(tfstyle)


def test_an_encoder_by_name_is_padded_by_reflection(tmp_path, monkeypatch):
    Backbone("VGG16", "random", seed=4)._application.save_weights(tmp_path / "vgg16_notop.weights.h5")
    monkeypatch.setenv("TFSTYLE_WEIGHTS", str(tmp_path))
    model = AdaIN("VGG16", LAYER, dtype="mixed_bfloat16")
    backbone = model.encoder.backbone
    assert (backbone.padding, backbone.compute_dtype) == ("reflection", "bfloat16")
    assert AdaIN("VGG16", LAYER, dtype="mixed_float16").encoder.backbone.compute_dtype == "float32"
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert (again.encoder.backbone.padding, again.dtype_policy.name) == ("reflection", "mixed_bfloat16")


def test_with_real_weights_a_photograph_is_kept_and_trained_on(real_weights, smooth):
    model = AdaIN(seed=0)
    model.compile()
    contents, styles = smooth
    painted = model((contents, styles)).numpy()
    assert np.abs(painted).max() < 5  # scaled features leave an untrained decoder in the range of pictures
    first = model.evaluate((contents, styles), verbose=0)
    model.fit(contents, styles, batch_size=2, epochs=2, verbose=0)
    assert model.evaluate((contents, styles), verbose=0) < first
