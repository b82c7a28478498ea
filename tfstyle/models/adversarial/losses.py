"""What adversarial networks minimise: small functions of what discriminators say, and of pictures.

Each takes logits or scores `(batch, ...)` and gives a scalar in at least float32, the mean over the batch and over
all patches of a picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

Tensor = Any

_EPSILON = 1e-12  # under the root of the gradient's norm, whose derivative is infinite at 0 (chosen)


def cross_entropy_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """−E log σ(D(x)) − E log(1 − σ(D(G(z)))), σ the logistic function: D(x) = 1 and D(G(z)) = 0 are best.

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
    """E (‖∇ D(x̂)‖₂ − 1)² at x̂ = x + α (G(z) − x), D being the mean of what the critic says of all patches.

    Args:
        critic: From pictures `(batch, height, width, channels)` to scores `(batch, ...)`.
        real: Pictures x.
        fake: Pictures G(z), of the same shape.
        mixing: α of each picture, `(batch,)`, uniform in [0, 1].

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
    """Mean of |a − b|: the cycle consistency and identity losses, and the content loss of `WGAN`.

    Reference:
        Zhu et al. 2017, equation 2 and section 5.2.
    """
    return ops.mean(ops.absolute(_full(pictures) - _full(others)))


def copy_ratio(pictures: Tensor, outputs: Tensor) -> Tensor:
    """E ‖G(x) − x‖₂ / ‖x − x̄‖₂, x̄ the picture's mean colour: 0 where a generator copies its input.

    Being relative to how much there is to see in a picture, it is the same in [0, 1] and in [-1, 1].
    """
    pictures, outputs = _full(pictures), _full(outputs)
    contrast = pictures - ops.mean(pictures, axis=(1, 2), keepdims=True)
    change, seen = (ops.sqrt(ops.sum(ops.square(x), axis=(1, 2, 3))) for x in (outputs - pictures, contrast))
    return ops.mean(change / ops.maximum(seen, keras.config.epsilon()))


def _full(tensor: Tensor) -> Tensor:
    return ops.cast(tensor, keras.backend.result_type(tensor.dtype, "float32"))
