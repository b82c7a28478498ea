"""Losses of adversarial networks: functions of scores and of images.

Scores are logits `(batch, ...)` of a discriminator D, or outputs of a critic D, for real images x or generated images
G(z). Each loss is a scalar in at least float32: the mean over the batch and over all patches of an image.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf
from keras import ops

from tfstyle.core.typing import Tensor

_EPSILON = 1e-12  # chosen: added under the root of the gradient's norm, whose derivative is infinite at 0


def cross_entropy_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """−E log σ(D(x)) − E log(1 − σ(D(G(z)))), with σ the logistic function; σ(D(x)) = 1 and σ(D(G(z))) = 0 are best.

    Reference:
        Goodfellow et al. 2014, equation 1.
    """
    return ops.mean(ops.softplus(-_full(real))) + ops.mean(ops.softplus(_full(fake)))


def cross_entropy_generator(fake: Tensor) -> Tensor:
    """−E log σ(D(G(z))), the non-saturating loss.

    Reference:
        Goodfellow et al. 2014, section 3.
    """
    return ops.mean(ops.softplus(-_full(fake)))


def least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """½ E (D(x) − 1)² + ½ E D(G(z))².

    Reference:
        Mao et al. 2017, equation 9, with the factor of Zhu et al. 2017, section 7.1.
    """
    return 0.5 * (ops.mean(ops.square(_full(real) - 1.0)) + ops.mean(ops.square(_full(fake))))


def least_squares_generator(fake: Tensor) -> Tensor:
    """E (D(G(z)) − 1)².

    Reference:
        Zhu et al. 2017, section 4.
    """
    return ops.mean(ops.square(_full(fake) - 1.0))


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """E D(G(z)) − E D(x); its negative is an estimate of the Wasserstein distance.

    Reference:
        Arjovsky, Chintala & Bottou 2017, algorithm 1.
    """
    return ops.mean(_full(fake)) - ops.mean(_full(real))


def wasserstein_generator(fake: Tensor) -> Tensor:
    """−E D(G(z)).

    Reference:
        Arjovsky, Chintala & Bottou 2017, algorithm 1.
    """
    return -ops.mean(_full(fake))


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mixing: Tensor) -> Tensor:
    """E (‖∇ D(x̂)‖₂ − 1)² at x̂ = x + α (G(z) − x), where D is the mean of the critic's scores of all patches.

    Args:
        critic: From images `(batch, height, width, channels)` to scores `(batch, ...)`.
        real: Images x, `(batch, height, width, channels)`.
        fake: Images G(z), of the same shape.
        mixing: α of each image, `(batch,)`, uniform in [0, 1].

    Reference:
        Gulrajani et al. 2017, equation 3 and algorithm 1.
    """
    between = real + ops.cast(mixing, real.dtype)[:, None, None, None] * (fake - real)
    with tf.GradientTape() as tape:
        tape.watch(between)
        scores = _full(critic(between))
        scores = ops.mean(ops.reshape(scores, (ops.shape(scores)[0], -1)), axis=1)
    gradient = _full(tape.gradient(scores, between))
    norm = ops.sqrt(ops.sum(ops.square(gradient), axis=(1, 2, 3)) + _EPSILON)
    return ops.mean(ops.square(norm - 1.0))


def absolute_difference(pictures: Tensor, others: Tensor) -> Tensor:
    """Mean of |a − b|: the cycle consistency loss, the identity loss, and the content loss of `WGAN`.

    Reference:
        Zhu et al. 2017, equation 2 and section 5.2.
    """
    return ops.mean(ops.absolute(_full(pictures) - _full(others)))


def copy_ratio(pictures: Tensor, outputs: Tensor) -> Tensor:
    """E ‖G(x) − x‖₂ / ‖x − x̄‖₂, where x̄ is the mean colour of an image: 0 if a generator copies its input.

    As it is relative to the contrast of the image, it is the same for images in [0, 1] and in [-1, 1].
    """
    pictures, outputs = _full(pictures), _full(outputs)
    contrast = pictures - ops.mean(pictures, axis=(1, 2), keepdims=True)
    change, spread = (ops.sqrt(ops.sum(ops.square(x), axis=(1, 2, 3))) for x in (outputs - pictures, contrast))
    return ops.mean(change / ops.maximum(spread, keras.config.epsilon()))


def _full(tensor: Tensor) -> Tensor:
    return ops.cast(tensor, keras.backend.result_type(tensor.dtype, "float32"))
