"""VGG19 at a quarter of its width, small enough to come with the package."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from tfstyle.layers import ChannelProjection

NAME = "VGG19Mini"
# Chosen: a quarter of VGG19's filters; more from the third block on, where they cost little time.
WIDTHS = (16, 32, 80, 160, 256)
CONVOLUTIONS = (2, 2, 4, 4, 1)  # of each block: VGG19's, up to the deepest layer that style losses use
# The layers that methods compare. Their features are projected, so that distances come near those of VGG19.
TAPS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block4_conv2", "block5_conv1")


def VGG19Mini(  # noqa: N802 (a network's name, as in keras.applications)
    include_top: bool = False,
    weights: str | None = None,
    input_shape: tuple[int | None, int | None, int] = (None, None, 3),
    widths: Sequence[int] = WIDTHS,
) -> keras.Model:
    """VGG19 up to `block5_conv1` with fewer filters, as a functional Keras model with the layer names of VGG19.

    Its input is that of VGG19: BGR in [0, 255] less the mean colour (`keras.applications.vgg19.preprocess_input`).

    At each of `TAPS`, the convolution with its ReLU is called `NAME_filters`. `NAME` is a linear projection of its
    features, which no other layer uses. It is trained so that squared differences of features, and of their Gram
    matrices, come near those of VGG19, which has more filters.

    Args:
        include_top: False, as there is no classifier.
        weights: Path of a file that `save_weights` of this model has written. None for Keras' initialisation.
        input_shape: `(height, width, 3)`, where a side of None stands for any.
        widths: Number of filters in each block. With fewer blocks the network ends earlier.

    Returns:
        The model from `(batch, height, width, 3)` to the features of the taps.

    Raises:
        ValueError: `include_top` is true.
    """
    if include_top:
        raise ValueError("VGG19Mini has no classifier: include_top must be False")
    x = pictures = keras.Input(input_shape, name="input_layer")
    taps = []
    for block, (filters, number) in enumerate(zip(widths, CONVOLUTIONS, strict=False), 1):
        if block > 1:
            x = keras.layers.MaxPooling2D(2, strides=2, name=f"block{block - 1}_pool")(x)
        for convolution in range(1, number + 1):
            name = f"block{block}_conv{convolution}"
            convolution_name = f"{name}_filters" if name in TAPS else name
            x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu", name=convolution_name)(x)
            if name in TAPS:
                taps.append(ChannelProjection(name=name)(x))
    network = keras.Model(pictures, taps, name="vgg19mini")
    if weights is not None:
        network.load_weights(weights)
    return network
