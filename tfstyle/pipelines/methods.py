"""The methods of publications as data: each constant with its source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tfstyle.core.errors import unknown
from tfstyle.pipelines.method import Method

_GATYS_2016 = "Gatys, Ecker, Bethge 2016, Image Style Transfer Using Convolutional Neural Networks (CVPR)"

_LI_2017 = "Li, Wang, Liu, Hou 2017, Demystifying Neural Style Transfer (IJCAI)"
_LI_LAYERS = "Li 2017, section 5"


def _in_place_of_gram(
    name: str, title: str, kind: str, options: dict[str, Any], reference: str, layers: str, **sources: str
) -> Method:
    """A method with another statistic at the layers of Gatys et al. 2016, and normalised losses.

    Args:
        name: Name of the method.
        title: What it does, in one line.
        kind: Name of the statistic.
        options: Options of the statistic.
        reference: Its publications.
        layers: The publication that uses these layers.
        **sources: Further sources, by field.
    """
    chosen = ("content_normalization", "content_weight", "style_weight", "optimizer", "steps")
    return Method(
        name=name,
        title=title,
        reference=reference,
        content_layers=("block4_conv2",),
        style_layers=tuple(f"block{block}_conv1" for block in range(1, 6)),
        statistic=kind,
        statistic_options=options,
        content_normalization="relative",
        content_weight=0.1,
        style_weight=1.0,
        normalize_losses=True,
        sources={
            "content_layers": f"{layers} (conv4_2)",
            "style_layers": f"{layers} (conv1_1 to conv5_1, weight 1/5 each)",
            "normalize_losses": "chosen: each layer's loss divided by its initial value",
            **dict.fromkeys(chosen, "chosen"),
            **sources,
        },
    )


_SHALLOW = ("block1_conv1", "block2_conv1", "block3_conv1")
_XU_2024 = _in_place_of_gram(
    "xu2024",
    "MMD at shallow layers of VGG-19, for Chinese painting",
    "gaussian",
    {},
    "Xu, Hu, Lu 2024, Style migration of Chinese painting based on VGG-19 and MMD convolutional neural network "
    "models; the loss of Li, Wang, Liu, Hou 2017, Demystifying Neural Style Transfer",
    "Li 2017, section 5",
    style_layers="Xu 2024, abstract (shallow layers of VGG-19); which of them is chosen",
    statistic="Xu 2024, abstract (MMD); Li 2017, section 4.1 (Gaussian kernel, chosen among its kernels)",
)
_XU_2024 = replace(
    _XU_2024,
    style_layers=_SHALLOW,
    notes=(
        "Only the abstract of the paper could be read. It names VGG-19, shallow layers and MMD, but no constants.",
        "The ratio of content to style is 0.1. 0.3 keeps more of the content image, 0.03 gives more brushwork.",
    ),
)
_INK: dict[str, Any] = {"edge_weight": 0.05, "preserve_color": "ink", "saturation": 0.15, "blank_areas": 0.5}
_JIN_2021 = "Jin & Zhou 2021, a hybrid of VGG-19 and InceptionV3 for style transfer"
_JIN_CHOSEN = ("content_layers", "style_layers", "statistic", "content_weight", "style_weight", "optimizer", "init")

_TUTORIAL = ("content_layers", "style_layers", "statistic", "content_weight", "style_weight", "optimizer",
             "optimizer_options", "steps", "init")  # fmt: skip

METHODS = {
    method.name: method
    for method in (
        Method(
            name="gatys",
            title="Content and Gram style loss on VGG-19, with the weights most used since",
            reference=f"{_GATYS_2016}; the VGG-19 flow of Wu 2021",
            content_layers=("block4_conv2",),
            style_layers=tuple(f"block{block}_conv1" for block in range(1, 6)),
            statistic_options={"normalization": "positions_channels"},
            content_weight=5.0,
            style_weight=500.0,
            sources={
                "content_layers": "Gatys 2016, section 3 (conv4_2)",
                "style_layers": "Gatys 2016, section 3 (conv1_1 to conv5_1, weight 1/5 each)",
                "statistic": "Johnson 2015, neural-style: Gram matrix over positions times channels",
                "content_weight": "Johnson 2015, neural-style: 5",
                "style_weight": "Johnson 2015, neural-style: 100 for each of five layers, here 500 for their mean",
                "optimizer": "Gatys 2016, section 2.3 (L-BFGS)",
                "steps": "chosen",
                "init": "Gatys 2016, section 3.3 (the content image)",
            },
        ),
        Method(
            name="gatys2016",
            title="By the equations of the paper: average pooling, normalised VGG-19, white noise as initial image",
            reference=_GATYS_2016,
            pooling="avg",
            normalize=True,
            content_layers=("block4_conv2",),
            style_layers=tuple(f"block{block}_conv1" for block in range(1, 6)),
            statistic_options={"normalization": "paper"},
            content_normalization="paper",
            content_weight=1e-3,
            style_weight=1.0,
            steps=500,
            init="noise",
            sources={
                "pooling": "Gatys 2016, section 2 (average pooling)",
                "normalize": "Gatys 2016, section 2; there by filter and over ImageNet, here by layer and over the "
                "content and style images (chosen)",
                "content_layers": "Gatys 2016, section 3 (conv4_2)",
                "style_layers": "Gatys 2016, section 3 (conv1_1 to conv5_1, weight 1/5 each)",
                "statistic": "Gatys 2016, equations 3 to 5",
                "content_normalization": "Gatys 2016, equation 1",
                "content_weight": "Gatys 2016, section 3 (content to style 1e-3)",
                "optimizer": "Gatys 2016, section 2.3 (L-BFGS)",
                "steps": "chosen",
                "init": "Gatys 2016, section 3 (white noise)",
            },
            notes=(
                "As printed, equation 1 sums over all features, while equations 4 and 5 average. With the ratio 1e-3 "
                "the content dominates, and hardly any style is seen (224 pixels, 250 steps, ImageNet weights). A "
                "content weight of 1e-6 works.",
            ),
        ),
        Method(
            name="tf-tutorial",
            title="TensorFlow's tutorial: Gram over positions, Adam",
            reference="TensorFlow documentation, Neural style transfer (tutorials/generative/style_transfer)",
            content_layers=("block5_conv2",),
            style_layers=tuple(f"block{block}_conv1" for block in range(1, 6)),
            statistic_options={"normalization": "positions"},
            content_weight=1e4,
            style_weight=1e-2,
            optimizer="adam",
            optimizer_options={"learning_rate": 0.02, "beta_1": 0.99, "epsilon": 0.1},
            steps=1000,
            sources=dict.fromkeys(_TUTORIAL, "TensorFlow tutorial")
            | {"tv_weight": "0: the tutorial's first run, without its total variation term"},
        ),
        Method(
            name="jin2021",
            title="One method for several networks: comparison of backbones, and VGG-19 with InceptionV3 in one loss",
            reference=f"{_JIN_2021}; figure 3 of a 2024 survey of deep style transfer",
            statistic_options={"normalization": "positions_channels"},
            content_weight=5.0,
            style_weight=500.0,
            steps=500,
            sources={
                "backbone": "Jin & Zhou 2021: VGG-19, InceptionV3, ResNet50, NASNetMobile; VGG-19 with InceptionV3",
                "steps": "Jin & Zhou 2021: 500 iterations (of the hybrid network)",
                **dict.fromkeys(_JIN_CHOSEN, "chosen"),
            },
            notes=(
                "Weights and layers are not known. Those of `gatys` and each network's default layers are chosen. "
                "Without normalised losses, as in a comparison that changes nothing but the network, ResNet50 leaves "
                "the content image as it is. `tfstyle reproduce jin2021-backbones` shows this, and what helps.",
                "The signs of the exponents of w1:w2 are illegible. `tfstyle reproduce jin2021-hybrid` tries both.",
            ),
        ),
        _in_place_of_gram(
            "li2017-batchnorm",
            "Means and deviations of the features instead of Gram matrices",
            "moments",
            {},
            _LI_2017,
            _LI_LAYERS,
            statistic="Li 2017, section 4.2 (batch normalisation statistics)",
        ),
        _in_place_of_gram(
            "li2017-linear",
            "MMD under the linear kernel: the means of the features",
            "linear",
            {},
            _LI_2017,
            _LI_LAYERS,
            statistic="Li 2017, section 4.1 (linear kernel)",
        ),
        _in_place_of_gram(
            "li2017-polynomial",
            "MMD under the polynomial kernel of degree 2, which compares Gram matrices",
            "polynomial",
            {"degree": 2, "offset": 0.0},
            _LI_2017,
            _LI_LAYERS,
            statistic="Li 2017, section 4.1 (polynomial kernel with c = 0 and d = 2)",
        ),
        _in_place_of_gram(
            "li2017-gaussian",
            "MMD under the Gaussian kernel",
            "gaussian",
            {},
            _LI_2017,
            _LI_LAYERS,
            statistic="Li 2017, section 4.1 (Gaussian kernel); there from sampled pairs, here by random Fourier "
            "features, which make the loss deterministic (chosen)",
            statistic_options="chosen: the median distance between the style's positions as bandwidth",
        ),
        replace(
            _in_place_of_gram(
                "adain-statistics",
                "Means and deviations at relu1_1 to relu4_1, the style loss of AdaIN, optimised",
                "moments",
                {},
                "Huang & Belongie 2017, Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization",
                "Huang & Belongie 2017, section 6",
                content_layers="Huang & Belongie 2017, equation 12 (relu4_1); there of AdaIN's output, here of the "
                "content image (chosen)",
                style_layers="Huang & Belongie 2017, equation 13 (relu1_1 to relu4_1, the same weight each)",
                statistic="Huang & Belongie 2017, equation 13; there roots of its squares, channels summed",
            ),
            content_layers=("block4_conv1",),
            style_layers=(*_SHALLOW, "block4_conv1"),
        ),
        _XU_2024,
        replace(
            _XU_2024,
            name="xu2024-ink",
            title="xu2024 as ink on paper: bright flat areas stay blank, clear outlines, little colour",
            **_INK,
            sources=_XU_2024.sources | dict.fromkeys(_INK, "chosen"),
        ),
        replace(
            _in_place_of_gram(
                "jiang2020",
                "Content and Gram style loss on VGG-19, tuned for the visible strokes of oil painting",
                "gram",
                {},
                "Jiang 2020, oil painting style transfer by VGG; the losses of Gatys, Ecker, Bethge 2016",
                "Gatys 2016, section 3",
                statistic="Gatys 2016, equation 5; over positions times channels (chosen)",
                style_layers="chosen: conv1_1 to conv4_1, as conv5_1 copies objects of the style image",
                style_scale="chosen: strokes twice as large as in the style image",
            ),
            style_layers=(*_SHALLOW, "block4_conv1"),
            content_weight=0.03,
            style_scale=2.0,
        ),
        _in_place_of_gram(
            "wasserstein",
            "Wasserstein-2 distance between Gaussians of the features' means and covariances",
            "wasserstein",
            {},
            "Mroueh 2019, Wasserstein Style Transfer; the distance of Dowson & Landau 1982",
            "Gatys 2016, section 3",
            statistic="Dowson & Landau 1982; Mroueh 2019 (a style as a Gaussian of features)",
        ),
    )
}


def get(name: str) -> Method:
    """The method of that name.

    Raises:
        InputError: There is none; the nearest names are suggested.

    Examples:
        >>> get("gatys").steps
        300
    """
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    return METHODS[name]
