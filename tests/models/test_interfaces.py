"""What models can do, and what is said of those that can't."""

import numpy as np
import pytest

from tfstyle import Backbone, InputError, images, samples
from tfstyle.models import GAN, WGAN, AdaIN, CycleGAN, DepthAdaIN, Generates, Stylizes, Translates
from tfstyle.models.arbitrary_style import ArbitraryStyleModel
from tfstyle.models.interfaces import (
    EstimatesDepth,
    Exports,
    TranslatesBack,
    check_generates,
    check_stylizes,
    check_translates,
    generates,
    translates,
)
from tfstyle.models.stylizer import Stylizer


@pytest.fixture(scope="module")
def models():
    encoder = Backbone("VGG19Mini", padding="reflection")
    small = {"size": 16, "filters": 2, "seed": 0}
    return {
        "adain": AdaIN(encoder, "block1_conv2"),
        "depth": DepthAdaIN(encoder, "block1_conv2", depth=None),
        "cyclegan": CycleGAN(**small, blocks=0, n_layers=1, pool_size=0),
        "gan": GAN(**small, latent_dim=2),
        "noise": WGAN(**small, latent_dim=2),
        "photos": WGAN(**small, source="pictures", blocks=0, n_layers=1),
    }


def able(models, protocol):
    return [name for name, model in models.items() if isinstance(model, protocol)]


def test_each_model_has_its_abilities(models):
    assert able(models, Stylizes) == ["adain", "depth"]
    assert [name for name, model in models.items() if translates(model)] == ["cyclegan", "photos"]
    assert [name for name, model in models.items() if generates(model)] == ["gan", "noise"]
    assert able(models, Generates) == ["gan", "noise", "photos"]
    assert "gan" not in able(models, Translates)
    assert able(models, TranslatesBack) == ["cyclegan"]
    assert able(models, EstimatesDepth) == ["depth"]
    assert able(models, Exports) == list(models)


def test_another_ability_than_is_needed_is_one_line(models):
    for check, name, message in [
        (check_stylizes, "cyclegan", "CycleGAN has learned one style.*: leave out the style images"),
        (check_stylizes, "gan", "GAN has learned one style.*: leave out the style images"),
        (check_translates, "adain", "AdaIN takes style images.*no style image: give at least one"),
        (check_translates, "noise", "WGAN makes pictures from noise.*: use `tfstyle generate`"),
        (check_generates, "photos", "WGAN makes no pictures from noise: give a GAN"),
    ]:
        with pytest.raises(InputError, match=message):
            check(models[name])
    with pytest.raises(InputError, match="object can't paint a content image: give an AdaIN"):
        check_translates(object())
    check_stylizes(models["adain"])
    check_translates(models["photos"])
    check_generates(models["noise"])


class MeanColor(ArbitraryStyleModel):
    """A model without means and deviations of features: it adds the style's mean colour."""

    code_class = np.ndarray
    minimum_side = 1

    def encode_style(self, style, style_mask=None):
        return images.load(style).rgb.mean((0, 1))

    def mix_styles(self, codes, style_weights=None):
        return np.average(codes, axis=0, weights=style_weights)

    def paint(self, content, codes, *, alpha=1.0, content_masks=None):
        rgb = images.load(content).rgb
        masks = np.ones((1, *rgb.shape[:2])) if content_masks is None else content_masks
        return np.clip(rgb + alpha * sum(m[..., None] * c for m, c in zip(masks, codes, strict=True)), 0, 1)

    def record(self):
        return {"backbone": None}


def test_a_model_of_another_kind_paints_with_all_that_can_be_controlled():
    model, content = MeanColor(), images.load(samples.content("chelsea"), 24)
    styles = [images.load(np.full((8, 8, 3), value, np.float32)) for value in (0.1, 0.3)]
    assert isinstance(model, Stylizes)
    left = np.zeros(content.rgb.shape[:2], np.float32)
    left[:, :12] = 1
    mixed = model.stylize(content, styles, style_weights=[1, 3], alpha=0.5)
    np.testing.assert_allclose(mixed, np.clip(content.rgb + 0.125, 0, 1), atol=1e-6)
    np.testing.assert_allclose(Stylizer(model, styles, [0.25, 0.75], alpha=0.5).paint(content), mixed, atol=1e-6)
    regions = model.stylize(content, styles, content_masks=[left, 1 - left])
    np.testing.assert_allclose(regions[:, :12], np.clip(content.rgb[:, :12] + 0.1, 0, 1), atol=1e-6)
    np.testing.assert_allclose(regions[:, 12:], np.clip(content.rgb[:, 12:] + 0.3, 0, 1), atol=1e-6)
