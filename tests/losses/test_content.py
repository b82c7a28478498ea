"""The content loss against NumPy in float64."""

import numpy as np
import pytest

from tfstyle import ContentTerm, InputError, Objective

LAYERS = ["block1_conv1", "block2_conv1"]


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        ("mean", lambda f, p: np.mean((f - p) ** 2)),
        ("paper", lambda f, p: np.sum((f - p) ** 2) / 2),
        ("relative", lambda f, p: np.mean((f - p) ** 2) / np.mean(p**2)),
    ],
)
def test_content_loss_is_the_formula(raw, picture, photo, painting, normalization, expected, losses, double):
    objective = Objective([ContentTerm(raw, LAYERS, 3.0, normalization)])
    f, p = (raw(x[None], LAYERS) for x in (picture, photo))
    want = 3 * np.mean([expected(double(f[layer]), double(p[layer])) for layer in LAYERS])
    np.testing.assert_allclose(losses(objective, picture, photo, [painting])["content"], want, rtol=1e-5)


def test_what_can_not_be_is_refused(vgg):
    with pytest.raises(InputError, match="content weight -1 is negative: give 0 or more"):
        ContentTerm(vgg, weight=-1)
    with pytest.raises(ValueError, match=r"normalization must be .*'relative', not 'max'"):
        ContentTerm(vgg, normalization="max")


def test_its_repr_names_network_layers_and_weight(vgg):
    term = ContentTerm(vgg, "block4_conv2", 5.0)
    assert repr(term) == "ContentTerm('content', VGG19, layers=['block4_conv2'], weight=5.0, normalization='mean')"
