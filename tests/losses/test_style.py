"""The style loss against NumPy in float64."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tfstyle import GramMatrix, InputError, MeanAndDeviation, Objective, StyleTerm

LAYERS = ["block1_conv1", "block2_conv1"]


def test_style_loss_is_the_weighted_sum_over_layers(raw, picture, photo, painting, losses, gram_of):
    f, s = (raw(x[None], LAYERS) for x in (picture, painting))
    each = [np.mean((gram_of(f[layer]) - gram_of(s[layer])) ** 2) for layer in LAYERS]
    statistic = GramMatrix("positions")
    by_default = Objective([StyleTerm(raw, LAYERS, statistic, 2.0)])
    weighted = Objective([StyleTerm(raw, LAYERS, statistic, 2.0, layer_weights=[0.9, 0.3])])
    np.testing.assert_allclose(losses(by_default, picture, photo, [painting])["style"], np.sum(each), rtol=1e-5)
    np.testing.assert_allclose(
        losses(weighted, picture, photo, [painting])["style"], 2 * np.dot([0.9, 0.3], each), rtol=1e-5
    )


def test_a_balanced_style_loss_starts_at_one_in_every_layer(vgg, photo, painting, losses):
    for layer in LAYERS:
        for statistic in (GramMatrix(), MeanAndDeviation()):
            objective = Objective([StyleTerm(vgg, [layer], statistic, weight=5.0, normalize_losses=True)])
            np.testing.assert_allclose(losses(objective, photo, photo, [painting])["style"], 5, rtol=1e-5)


@given(weight=st.floats(0, 1))
def test_the_loss_of_a_blend_is_that_of_the_mixed_gram_matrix(vgg_raw_small, weight, losses, gram_of):
    backbone, picture, photo, styles = vgg_raw_small
    layer = "block1_conv1"
    grams = [gram_of(backbone(x[None], [layer])[layer]) for x in (picture, *styles)]
    want = np.mean((grams[0] - weight * grams[1] - (1 - weight) * grams[2]) ** 2)
    objective = Objective([StyleTerm(backbone, [layer], GramMatrix("positions"))])
    found = losses(objective, picture, photo, styles, [weight, 1 - weight])["style"]
    np.testing.assert_allclose(found, want, rtol=1e-4)


@pytest.fixture(scope="module")
def vgg_raw_small(raw):
    random = np.random.default_rng(1)
    return raw, *random.random((2, 32, 40, 3), "float32"), list(random.random((2, 33, 36, 3), "float32"))


def test_a_content_picture_that_has_the_style_already_stays_calm(vgg, painting, losses):
    objective = Objective([StyleTerm(vgg, normalize_losses=True)])
    nudged = np.clip(painting + np.random.default_rng(0).normal(0, 1e-3, painting.shape), 0, 1).astype("float32")
    assert losses(objective, nudged, painting, [painting])["style"] < 10


def test_what_can_not_be_is_refused(vgg):
    with pytest.raises(InputError, match="style weight nan is negative: give 0 or more"):
        StyleTerm(vgg, weight=float("nan"))
    with pytest.raises(InputError, match="1 layer weights for 2 layers: give one for each"):
        StyleTerm(vgg, LAYERS, layer_weights=[1])


def test_the_configuration_of_older_files_has_another_name_for_normalize_losses(vgg):
    config = StyleTerm(vgg, LAYERS, normalize_losses=True).get_config()
    config["balance"] = config.pop("normalize_losses")
    assert StyleTerm.from_config(config).normalize_losses is True


def test_its_repr_names_network_layers_and_statistic(vgg):
    assert repr(StyleTerm(vgg, LAYERS, MeanAndDeviation(), 2.0)) == (
        "StyleTerm('style', VGG19, layers=['block1_conv1', 'block2_conv1'], weight=2.0, "
        "statistic=MeanAndDeviation(epsilon=1e-05), layer_weights=None, normalize_losses=False)"
    )
