"""The guided filter, which gives a map the edges of its image."""

from __future__ import annotations

import tensorflow as tf

from tfstyle.core.typing import Tensor


def guided(coarse: Tensor, small: Tensor, pictures: Tensor, radius: int, epsilon: float) -> Tensor:
    """A map at the resolution of the images, smooth except where the images have edges.

    Within each window of 2 radius + 1 pixels, a linear function of the colours, aᵀ I + b, is fitted to the map, with
    a = (Σ + ε U)⁻¹ cov(I, map), where Σ is the covariance of the colours. For each pixel, the coefficients of all
    windows that contain it are averaged; they are resized to the images and applied there. Gradients flow to maps and
    images.

    Args:
        coarse: The maps, `(batch, rows, columns)`.
        small: The images at the resolution of the maps, `(batch, rows, columns, 3)`, RGB in [0, 1].
        pictures: The images, `(batch, height, width, 3)`, RGB in [0, 1].
        radius: Radius of the windows, in pixels of the map.
        epsilon: ε: a variance of colours far below it counts as none.

    Returns:
        float32 `(batch, height, width)`.

    Reference:
        He, Sun & Tang 2013, "Guided Image Filtering", equations 14 to 16 (for colours 19 to 21); He & Sun 2015, "Fast
        Guided Filter", for the two resolutions.
    """
    p = tf.cast(coarse, "float32")[..., None]
    r, g, b = (small[..., channel, None] for channel in range(3))
    products = [r * r, r * g, r * b, g * g, g * b, b * b, r * p, g * p, b * p]
    means = _mean(tf.concat([r, g, b, p, *products], axis=-1), radius)
    mr, mg, mb, mp, rr, rg, rb, gg, gb, bb, rp, gp, bp = tf.unstack(means, axis=-1)
    rr, gg, bb = (rr - mr * mr + epsilon, gg - mg * mg + epsilon, bb - mb * mb + epsilon)
    rg, rb, gb = rg - mr * mg, rb - mr * mb, gb - mg * mb
    rp, gp, bp = rp - mr * mp, gp - mg * mp, bp - mb * mp
    # The inverse of a symmetric 3x3 matrix, by its cofactors.
    c00, c01, c02 = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c11, c12, c22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    determinant = rr * c00 + rg * c01 + rb * c02
    ar = (c00 * rp + c01 * gp + c02 * bp) / determinant
    ag = (c01 * rp + c11 * gp + c12 * bp) / determinant
    ab = (c02 * rp + c12 * gp + c22 * bp) / determinant
    offset = mp - ar * mr - ag * mg - ab * mb
    coefficients = _mean(tf.stack([ar, ag, ab, offset], axis=-1), radius)
    coefficients = tf.image.resize(coefficients, tf.shape(pictures)[1:3])
    return tf.reduce_sum(coefficients[..., :3] * tf.cast(pictures, "float32"), axis=-1) + coefficients[..., 3]


def _mean(values: Tensor, radius: int) -> Tensor:
    """The mean over a window around each position; at borders, over the part of it that is inside."""
    return tf.nn.avg_pool2d(values, 2 * radius + 1, 1, "SAME")
