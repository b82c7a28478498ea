"""Targets: the scales of normalised backbones."""

import numpy as np

from tfstyle import Backbone, ContentTerm, Objective, StyleTerm


def test_a_normalised_backbone_has_unit_mean_activation(photo, painting, double):
    backbone = Backbone("ResNet50", "random")
    objective = Objective([StyleTerm(backbone)])
    scales = objective.targets(photo[None], [painting[None]])["scales"]["0"]
    means = {
        layer: np.mean([np.abs(double(backbone(x[None], [layer])[layer])).mean() for x in (photo, painting)])
        for layer in backbone.style_layers
    }
    for layer in backbone.style_layers:
        np.testing.assert_allclose(double(scales[layer]).item() * means[layer], 1, rtol=1e-5)
    assert max(means.values()) > 100 * min(means.values())  # which is why


def test_normalising_forgets_the_scale_of_the_weights(photo, painting, picture, losses):
    """Twice the kernel is the same normalised network."""
    backbone = Backbone("VGG16", "random")
    objective = Objective([ContentTerm(backbone), StyleTerm(backbone)])
    before = losses(objective, picture, photo, [painting])
    kernel = backbone._layers["block1_conv2"].kernel
    kernel.assign(kernel * 2.0)
    after = losses(objective, picture, photo, [painting])
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, rtol=1e-3)
