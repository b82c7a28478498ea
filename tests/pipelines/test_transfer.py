"""transfer(): from pictures to a picture and its record."""

import hashlib
import json
import logging
import os
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

import tfstyle
from tfstyle import InputError, images, transfer
from tfstyle.pipelines import methods

pytestmark = pytest.mark.usefixtures("eager")
SHALLOW = {"content_layers": "block2_conv1", "style_layers": ["block1_conv1", "block2_conv1"]}
FAST = {"size": 48, "steps": 3, "backbone": "VGG19Mini", "precision": "float32", **SHALLOW}


@pytest.fixture(scope="module")
def files(tmp_path_factory, photo, painting):
    folder = tmp_path_factory.mktemp("pictures")
    images.save(photo, folder / "photo.png")
    images.save(painting, folder / "painting.png")
    return folder


@pytest.fixture(scope="module")
def result(files):
    return transfer(str(files / "photo.png"), files / "painting.png", **FAST)


def test_a_result_is_a_picture_a_history_and_all_settings(result, files):
    assert result.image.dtype == np.float32
    assert result.image.shape == (32, 48, 3)
    assert 0 <= result.image.min() < result.image.max() <= 1
    assert result.history["step"] == [1, 2, 3]
    assert set(result.history) == {"step", "loss", "content", "style"}
    settings = result.settings
    assert settings["content"] == str(files / "photo.png")
    assert (settings["weights"]["name"], settings["weights"]["source"]) == ("embedded", "this package")
    assert (settings["height"], settings["width"], settings["steps_done"]) == (32, 48, 3)
    assert settings["versions"]["keras"] == keras.__version__
    assert settings["content_sha256"] == images.load(files / "photo.png").sha256 != settings["styles_sha256"][0]
    assert settings["sources"]["content_weight"] == "chosen"  # as the losses are normalized
    assert settings["style_weights"] == [1.0]
    assert settings["stopped"] is None
    assert 0 < settings["optimization_seconds"] <= settings["seconds"]
    assert settings["best_loss"] < settings["first_loss"] == result.history["loss"][0]
    assert settings["optimizer_options"]["history"] == 10


def test_saving_writes_the_picture_and_its_record(result, tmp_path):
    assert result.save(tmp_path / "out.png") == tmp_path / "out.png"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "out.png"]
    np.testing.assert_allclose(images.load(tmp_path / "out.png").rgb, result.image, atol=1 / 509)
    record = json.loads((tmp_path / "out.json").read_text())
    assert record == json.loads(json.dumps(result.record())) | {"bits": 8, "quality": 95}
    assert record["history"]["loss"] == result.history["loss"]


def test_paths_pil_images_and_arrays_give_the_same_picture(result, files):
    photo = Image.open(files / "photo.png")
    painting = np.asarray(Image.open(files / "painting.png"))
    np.testing.assert_allclose(transfer(photo, painting, **FAST).image, result.image, atol=1e-4)


def test_the_same_seed_gives_the_same_picture_whatever_the_global_one(files):
    random = FAST | {"weights": "random", "init": "noise"}
    first = transfer(files / "photo.png", files / "painting.png", **random)
    keras.utils.set_random_seed(77)
    state = np.random.get_state()[1].copy()
    again = transfer(files / "photo.png", files / "painting.png", **random)
    other = transfer(files / "photo.png", files / "painting.png", **random, seed=1)
    assert (np.random.get_state()[1] == state).all()
    np.testing.assert_allclose(again.image, first.image, atol=1e-4)
    assert np.abs(other.image - first.image).max() > 0.05
    assert first.settings["weights"] == {"name": "random", "source": "He, seed 0"}


def test_a_blend_of_one_style_and_nothing_of_another_is_that_style(files, result):
    both = [files / "painting.png", files / "photo.png"]
    blend = transfer(files / "photo.png", both, style_weights=[3, 0], **FAST)
    assert blend.settings["style_weights"] == [1.0, 0.0]
    np.testing.assert_allclose(blend.image, result.image, atol=1e-4)


def test_weights_and_layers_can_be_set(files):
    result = transfer(
        files / "photo.png", files / "painting.png",
        **FAST | {"content_layers": ["block1_conv2"], "style_layers": ["block2_conv1"]}, content_weight=0.5,
        style_weight=2, tv_weight=0, optimizer="adam", learning_rate=0.05, init="noise", pooling="avg",
    )  # fmt: skip
    settings = result.settings
    assert settings["content_layers"] == ["block1_conv2"]
    assert settings["style_layers"] == ["block2_conv1"]
    assert (settings["content_weight"], settings["style_weight"], settings["tv_weight"]) == (0.5, 2, 0)
    assert settings["optimizer_options"]["learning_rate"] == pytest.approx(0.05)
    assert (settings["init"], settings["pooling"], settings["optimizer"]) == ("noise", "avg", "adam")
    assert "total_variation" not in result.history


@pytest.mark.large
@pytest.mark.parametrize("name", methods.METHODS)
def test_every_method_lowers_its_loss(files, name):
    """On the embedded network."""
    result = transfer(files / "photo.png", files / "painting.png", method=name, size=48, steps=4, precision="float32")
    assert result.settings["method"] == name
    assert result.settings["best_loss"] < 0.9 * result.settings["first_loss"]


@pytest.mark.large
@pytest.mark.parametrize("name", ["InceptionV3", "ResNet50", "NASNetMobile", "MobileNetV2"])
def test_every_backbone_paints(files, name):
    options = {"size": 120, "steps": 2, "backbone": name, "weights": "random", "precision": "float32"}
    result = transfer(files / "photo.png", files / "painting.png", **options)
    assert result.settings["backbone"] == name
    assert result.settings["best_loss"] < 0.9 * result.settings["first_loss"]
    assert np.isfinite(result.image).all()


@pytest.mark.large
def test_bfloat16_ends_within_a_percent_of_float32_as_float32_sees_it(files, optimised_graphs):
    from tfstyle import Backbone, Canvas, ContentTerm, Objective, StyleTerm

    results = {
        precision: transfer(
            files / "photo.png", files / "painting.png", **(FAST | {"size": 96, "steps": 30, "precision": precision})
        )
        for precision in ("float32", "bfloat16")
    }
    recipe = results["float32"].settings
    network = Backbone("VGG19Mini", precision="float32")
    content = ContentTerm(
        network, recipe["content_layers"], recipe["content_weight"], recipe["content_normalization"]
    )  # fmt: skip
    style = StyleTerm(network, recipe["style_layers"], weight=recipe["style_weight"], normalize_losses=True)
    reference = Canvas(Objective([content, style]), files / "photo.png", [files / "painting.png"], size=96)
    losses = {}
    for precision, result in results.items():
        assert result.settings["precision"] == precision
        terms = reference.objective(result.image[None], reference.targets)
        losses[precision] = float(sum(terms.values())[0])
    assert losses["float32"] == pytest.approx(recipe["best_loss"], rel=0.02)  # but for 8 bits
    assert losses["bfloat16"] < 1.01 * losses["float32"] < 0.3


def test_auto_precision_is_the_probes(files, monkeypatch):
    for chosen in ("bfloat16", "float32"):
        monkeypatch.setattr("tfstyle.features.loading.faster", lambda chosen=chosen: chosen)
        result = transfer(files / "photo.png", files / "painting.png", **(FAST | {"precision": "auto", "steps": 1}))
        assert result.settings["precision"] == chosen


def test_a_method_of_ones_own(files):
    own = replace(methods.get("li2017-batchnorm"), name="own", steps=2)
    assert transfer(files / "photo.png", files / "painting.png", method=own, **(FAST | {"steps": None})).settings[
        "method"
    ] == "own"  # fmt: skip


def test_an_ensemble_paints_and_says_with_what(files, tmp_path):
    options = {
        "size": 48, "steps": 3, "precision": "float32", "weights": "random", "tile": "off",
        "backbone": "vgg19mini:0.5,MobileNetV2", "checkpoint": tmp_path / "kept",
    }  # fmt: skip
    result = transfer(files / "photo.png", files / "painting.png", **options)
    names = {"content_vgg19mini", "style_vgg19mini", "content_mobilenetv2", "style_mobilenetv2"}
    assert set(result.history) >= names
    assert result.settings["best_loss"] < result.settings["first_loss"]
    networks = result.settings["ensemble"]
    assert [(n["backbone"], n["backbone_weight"]) for n in networks] == [("VGG19Mini", 0.5), ("MobileNetV2", 1.0)]
    assert networks[1]["style_layers"][0] == "Conv1_relu"
    json.dumps(result.record())


def test_untrained_networks_paint_waves_but_where_masks_keep_pixels(files):
    options = {**FAST, "weights": "random", "steps": 1}
    pictures = files / "photo.png", files / "painting.png"
    assert transfer(*pictures, **options).settings["parameterization"] == "fourier"
    assert transfer(*pictures, **options, parameterization="pixels").settings["parameterization"] == "pixels"
    mask = np.eye(40, 60, dtype="float32")
    assert transfer(*pictures, **options, content_masks=mask).settings["parameterization"] == "pixels"


def test_settings_of_the_network_reach_it(files):
    options = {
        "size": 48, "steps": 1, "weights": "random", "precision": "float32", "backbone": "VGG19Mini,MobileNetV2",
        "balance_gradients": True,
        "normalize_losses": False, "input_scaling": "symmetric", "activation_smoothing": True,
    }  # fmt: skip
    result = transfer(files / "photo.png", files / "painting.png", **options)
    assert result.settings["balance_gradients"] is True
    for network in result.settings["ensemble"]:
        assert network["input_scaling"] == "symmetric"
        assert (network["activation_smoothing"], network["normalize_losses"]) == (True, False)
        assert network["style_weight"] == methods.get("gatys").style_weight


def test_a_file_of_weights_is_of_one_network(files):
    with pytest.raises(InputError, match=r"weights w\.h5 .*one network: leave them out"):
        transfer(files / "photo.png", files / "painting.png", **FAST | {"backbone": "vgg16,vgg19", "weights": "w.h5"})


def test_a_backbone_of_ones_own(files, vgg):
    result = transfer(files / "photo.png", files / "painting.png", backbone=vgg, size=48, steps=2)
    assert result.settings["backbone"] == "VGG19"


def test_a_backbone_has_its_weights_already(files, vgg):
    for option in ({"weights": "random"}, {"pooling": "avg"}):
        with pytest.raises(InputError, match=r"Backbone\('VGG19', .*leave out weights and pooling"):
            transfer(files / "photo.png", files / "painting.png", backbone=vgg, size=48, steps=1, **option)


def test_alpha_is_carried_to_the_output(files, painting, tmp_path):
    alpha = np.zeros((40, 60), "float32")
    alpha[10:30, 10:50] = 1
    picture = np.dstack([np.full((40, 60, 3), 0.5, "float32"), alpha])
    result = transfer(picture, painting, **FAST)
    result.save(tmp_path / "out.png")
    saved = Image.open(tmp_path / "out.png")
    assert saved.mode == "RGBA"
    expected = images.load(picture, 48).alpha
    np.testing.assert_allclose(np.asarray(saved)[..., 3] / 255, expected, atol=1 / 509)


@pytest.mark.parametrize(("height", "width"), [(300, 200), (333, 1000), (97, 131)])
def test_the_output_has_the_aspect_of_the_input(height, width, painting):
    picture = np.random.default_rng(0).random((height, width, 3))
    shape = transfer(picture, painting, **(FAST | {"size": 120, "steps": 1})).image.shape
    assert max(shape[:2]) == 120
    assert shape[0] == max(1, round(120 * height / max(height, width)))
    assert shape[1] == max(1, round(120 * width / max(height, width)))


def test_an_interrupt_returns_the_best_picture_so_far(files):
    def stop(batch, logs):
        if batch == 1:
            raise KeyboardInterrupt

    result = transfer(
        files / "photo.png", files / "painting.png", **(FAST | {"steps": 50}),
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=stop)],
    )  # fmt: skip
    assert result.settings["stopped"] == "interrupted"
    assert result.settings["steps_done"] == 2
    assert result.settings["best_loss"] == min(result.history["loss"])


def test_running_out_of_memory_returns_the_best_picture_so_far(files, monkeypatch):
    import tensorflow as tf

    def burst(batch, logs):
        if batch == 2:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=burst)
    result = transfer(files / "photo.png", files / "painting.png", **(FAST | {"steps": 50}), callbacks=[callback])
    assert result.settings["stopped"] == "out of memory"

    def at_once(logs=None):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    text = "memory for 48x32 pixels: give a smaller size or tile"
    with monkeypatch.context() as patch:
        patch.setattr("tfstyle.losses.objective.Objective.targets", lambda *args: at_once())
        with pytest.raises(InputError, match=text):
            transfer(files / "photo.png", files / "painting.png", **FAST)
    callback = keras.callbacks.LambdaCallback(on_train_begin=at_once)
    with pytest.raises(InputError, match=text):
        transfer(files / "photo.png", files / "painting.png", **FAST, callbacks=[callback])


def test_a_loss_beyond_numbers_is_an_error_with_the_fix(files):
    with pytest.raises(InputError, match=r"loss is not a finite number .*: give smaller weights"):
        transfer(files / "photo.png", files / "painting.png", **FAST, style_weight=1e39, content_weight=0)


def log_lines(caplog):
    """Our own log lines: TensorFlow may add that it traces the steps of several canvases."""
    return [record.getMessage() for record in caplog.records if record.name == "tfstyle"]


def test_auto_falls_back_on_embedded_weights_and_says_so(files, caplog):
    with caplog.at_level(logging.INFO, "tfstyle"):
        result = transfer(files / "photo.png", files / "painting.png", size=48, steps=1, precision="float32")
    assert (result.settings["backbone"], result.settings["weights"]["name"]) == ("VGG19Mini", "embedded")
    assert log_lines(caplog) == [
        "painting with VGG19Mini, weights embedded (this package), as there are no ImageNet weights, which do "
        "better: `tfstyle weights` says where they are looked for"
    ]


def test_auto_takes_imagenet_weights_where_they_are(files, caplog, tmp_path, monkeypatch):
    path = tmp_path / "vgg19_imagenet_notop.weights.h5"
    keras.applications.VGG19(include_top=False, weights=None).save_weights(path)
    monkeypatch.setenv("TFSTYLE_WEIGHTS", str(tmp_path))
    with caplog.at_level(logging.INFO, "tfstyle"):
        result = transfer(files / "photo.png", files / "painting.png", size=48, steps=1, precision="float32")
    settings = result.settings
    assert log_lines(caplog) == ["painting with VGG19, weights imagenet ($TFSTYLE_WEIGHTS)"]
    assert settings["weights"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (settings["normalize_losses"], settings["content_weight"], settings["pooling"]) == (False, 5.0, "max")


def test_asking_for_imagenet_weights_never_gets_random_ones(files):
    with pytest.raises(InputError, match="no ImageNet weights for VGG19: tried"):
        transfer(files / "photo.png", files / "painting.png", weights="imagenet")
    with pytest.raises(InputError, match="no ImageNet weights for VGG16: tried"):
        transfer(files / "photo.png", files / "painting.png", backbone="VGG16")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"content_layers": []}, "content term has no layers: name at least one"),
        ({"content_layers": "block9"}, "layer of VGG19Mini 'block9': did you mean"),
        ({"content_layers": ["block9"]}, "layer of VGG19Mini 'block9': did you mean"),
        ({"method": "gats"}, "method 'gats': did you mean gatys or gatys2016"),
        ({"backbone": "vgg20"}, "backbone 'vgg20': did you mean VGG19 or VGG16"),
        ({"optimizer": "sgd"}, "optimizer 'sgd': use one of lbfgs, adam"),
        ({"content_weight": -5}, "content weight -5 .*a number from 0"),
        ({"style_weights": [1, 2]}, "style weights 1,2 .*1 style image.*give 1"),
        ({"style_weights": [-1]}, "style weights -1 .*numbers from 0"),
        ({"style_weights": [0]}, "style weights 0 .*not all 0"),
        ({"steps": 0}, "steps 0 .*a whole number from 1 to 10000000"),
        ({"size": 20}, "20x13 pixels at size 20, .*at least 32 a side: use size 49"),
        ({"size": -1}, "size -1 .*a whole number from 1 to 65535"),
        ({"seed": -1}, "seed -1 .*a whole number from 0 to 4294967295"),
        ({"learning_rate": 0}, "learning rate 0 .*a number above 0"),
        ({"init": "nosuch.png"}, r"nosuch\.png"),
        ({"precision": "float16"}, "precision 'float16': did you mean bfloat16 or float32"),
        ({"balance_gradients": True}, "balance gradients .*several networks: name two or more"),
        ({"input_scaling": "caffe"}, "input scaling 'caffe': use one of own, unit, symmetric"),
        ({"pooling": "min"}, "pooling 'min': use one of max, avg"),
        ({"brush": 3}, "unknown option 'brush'"),
        ({"style_wieght": 3}, "option 'style_wieght': did you mean style_weight"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_bad_input(files, options, match):
    with pytest.raises(InputError, match=match) as error:
        transfer(files / "photo.png", files / "painting.png", **(FAST | options))
    assert "\n" not in str(error.value)


def test_no_style_is_refused(files):
    for styles in ([], None):
        with pytest.raises(InputError, match="no style image: give at least one"):
            transfer(files / "photo.png", styles, **FAST)


def test_arguments_have_names(files, result):
    named = transfer(content=files / "photo.png", styles=files / "painting.png", **FAST)
    np.testing.assert_allclose(named.image, result.image, atol=1e-4)


def test_the_function_is_not_hidden_by_a_module():
    code = "import tfstyle, tfstyle.pipelines.transfer, tfstyle.cli.main\n"
    code += "print(callable(tfstyle.transfer), tfstyle.__all__[:2])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, timeout=120)
    assert run.stdout.startswith("True")
    assert all(hasattr(tfstyle, name) for name in tfstyle.__all__)
    with pytest.raises(AttributeError, match="module 'tfstyle' has no attribute 'nothing'"):
        _ = tfstyle.nothing


def test_a_photograph_becomes_a_painting(real_weights, optimised_graphs):
    """The main job on real weights: the loss falls below 10 % of its start in 40 steps, at 192 pixels."""
    result = transfer(tfstyle.samples.content("chelsea"), tfstyle.samples.style("impasto", 192), size=192, steps=40)
    assert result.settings["weights"]["name"] == "imagenet"
    assert result.settings["best_loss"] < 0.1 * result.settings["first_loss"]


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, MemoryError])
def test_what_ends_a_later_scale_at_its_beginning_leaves_the_picture_of_the_one_before(files, trouble):
    def burst(logs=None):
        if len(seen) == 1:
            raise trouble
        seen.append(1)

    seen = []
    callback = keras.callbacks.LambdaCallback(on_train_begin=burst)
    options = FAST | {"size": 98, "scales": 2, "steps": 4}
    result = transfer(files / "photo.png", files / "painting.png", **options, callbacks=[callback])
    assert result.settings["stopped"] == ("interrupted" if trouble is KeyboardInterrupt else "out of memory")
    assert result.history["step"] == [1, 2, 3, 4]
    assert result.image.shape[1] == result.settings["width"] == 49
    json.dumps(result.record(), allow_nan=False)
