"""Color transfer: keep the colours of the content image.

Two methods of Gatys et al. 2016 and two that are common or chosen. Some change the pictures before the optimisation
(`preprocess`), some also the result (`postprocess`). Pixels with alpha 0 don't count in statistics.

Reference:
    Gatys, Bethge, Hertzmann, Shechtman 2016, "Preserving Color in Neural Artistic Style Transfer" (arXiv 1606.05897).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfstyle.core.errors import unknown
from tfstyle.images.luminance import luminance
from tfstyle.images.picture import Picture, make_picture

KINDS = ("luminance", "ink", "statistics", "histogram")
"""The methods that keep colours; see `preprocess`."""
GREY = ("luminance", "ink")
"""Those of `KINDS` that paint in grey and restore the colours by `postprocess`."""
_LEAST_DEVIATION = 1 / 255  # chosen: variation of less than one level of 8 bits is noise, which must not be amplified


def preprocess(
    kind: str, content: Picture, styles: Sequence[Picture], style_weights: Sequence[float] | None = None
) -> tuple[Picture, list[Picture]]:
    """The content image and style images for the optimisation.

    - `"luminance"`: all are made grey. Style images get the mean and deviation of the content image's luminance.
      `postprocess` restores the colours.
    - `"ink"` (chosen): all are made grey. The content image gets the mean and deviation of the style images'
      luminance, so that the result has the lightness of ink on paper. `postprocess` restores the colours.
    - `"statistics"`: each style image gets the mean and covariance of the content image's colours.
    - `"histogram"`: each style image gets the mean and covariance, and then the histogram of each channel, of the
      content image's colours. Histograms alone ignore how channels correlate: a style image that is matched to a grey
      photograph would keep some colour.

    Args:
        kind: One of `KINDS`.
        content: The content image.
        styles: The style images, of any sizes. Size, transparency and name don't change.
        style_weights: Their weights, which sum to 1, for `"ink"`; None for equal weights.

    Raises:
        InputError: The kind is unknown.
    """
    _check(kind)
    if kind == "luminance":
        return _grey(content, luminance(content.rgb)), [match_luminance(style, content) for style in styles]
    if kind == "ink":
        moments = [_luminance_moments(style) for style in styles]
        mean, deviation = np.average(moments, axis=0, weights=style_weights)
        return _with_moments(content, mean, deviation), [_grey(style, luminance(style.rgb)) for style in styles]
    matched = [match_statistics(style, content) for style in styles]
    return content, matched if kind == "statistics" else [match_histogram(style, content) for style in matched]


def postprocess(
    kind: str,
    painted: np.ndarray,
    content: Picture,
    saturation: float = 1.0,
    tint: np.ndarray | None = None,
) -> np.ndarray:
    """The painted picture with the colours of the content image, if `preprocess` has removed them.

    Args:
        kind: One of `KINDS`. For those that are not in `GREY`, the painted picture is returned as it is.
        painted: The painted picture, float32 `(height, width, 3)`, RGB in [0, 1], of which the luminance counts.
        content: The content image in colour; it is resized to the painted picture.
        saturation: Share of its colours, from 0 to 1; the rest is the tint.
        tint: A colour, float32 `(3,)`, whose luminance doesn't count; None for grey.

    Returns:
        float32 `(height, width, 3)`, RGB in [0, 1].

    Raises:
        InputError: The kind is unknown.
    """
    _check(kind)
    if kind not in GREY:
        return painted
    colours = content.resized(painted.shape[:2]).rgb
    if saturation != 1:
        colours = saturation * colours + (1 - saturation) * (np.full(3, 0.5) if tint is None else tint)
    return with_luminance(colours, luminance(painted))


def paper_color(styles: Sequence[Picture], style_weights: Sequence[float]) -> np.ndarray:
    """The colour of the paper of style images: the mean of the brightest tenth of each (chosen), by style weights.

    Args:
        styles: The style images.
        style_weights: Their weights, which sum to 1.

    Returns:
        float32 `(3,)`, RGB in [0, 1].
    """
    colours = []
    for style in styles:
        rgb = _visible(style)
        y = luminance(rgb)[:, 0]
        colours.append(rgb[y >= np.quantile(y, 0.9)].mean(axis=0, dtype=np.float64))
    return (np.asarray(style_weights) @ colours).astype(np.float32)


def with_luminance(rgb: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A picture with another luminance, and with its colours, the I and Q of YIQ.

    Y has the same coefficient in R, G and B when YIQ is converted to RGB. So a change of Y shifts all three alike.
    The result is clipped to [0, 1], which can change luminance and colour.

    Args:
        rgb: The picture, float32 `(height, width, 3)`, RGB in [0, 1].
        y: The luminance, float32 `(height, width, 1)` in [0, 1].

    Returns:
        A new float32 `(height, width, 3)`.

    Examples:
        >>> with_luminance(np.full((1, 1, 3), 0.25), np.full((1, 1, 1), 0.5)).tolist()
        [[[0.5, 0.5, 0.5]]]
    """
    return np.clip(rgb + (y - luminance(rgb)), 0, 1).astype(np.float32, copy=False)


def match_luminance(source: Picture, target: Picture) -> Picture:
    """The source in grey, with the mean and deviation of the target's luminance, clipped to [0, 1].

    L' = σ_T / σ_S (L − μ_S) + μ_T, with σ_S at least 1/255 (chosen). So a source of a single colour becomes the
    target's mean, and noise is not amplified above the target's deviation.

    Args:
        source: The picture that is changed.
        target: The picture that has the wanted luminance.

    Reference:
        Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer", luminance-only transfer.
    """
    return _with_moments(source, *_luminance_moments(target))


def match_statistics(source: Picture, target: Picture) -> Picture:
    """The source with the mean and covariance of the target's colours, clipped to [0, 1].

    x' = A x + b with A = Σ_T^½ Σ_S^−½ and b = μ_T − A μ_S; the roots are the symmetric ones. In Σ_S^−½ the
    eigenvalues, which are variances, count as at least (1/255)² (chosen). So pictures whose covariance has no inverse
    can be matched, such as grey ones and those of a single colour: in a direction in which the source doesn't vary
    the result doesn't, and noise is not amplified above the target's deviation.

    Args:
        source: The picture that is changed.
        target: The picture that has the wanted colours.

    Reference:
        Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer", the "image analogies" form.
    """
    (source_mean, source_covariance), (target_mean, target_covariance) = (_moments(p) for p in (source, target))
    values, vectors = np.linalg.eigh(source_covariance)
    inverse_root = vectors / np.sqrt(np.maximum(values, _LEAST_DEVIATION**2)) @ vectors.T
    values, vectors = np.linalg.eigh(target_covariance)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T  # rounding makes zeros negative
    matched = (source.rgb - source_mean) @ (root @ inverse_root).T + target_mean
    return make_picture(matched.astype(np.float32), source.alpha, source.name)


def match_histogram(source: Picture, target: Picture) -> Picture:
    """The source with the histogram of the target in each channel.

    A value becomes the quantile of the target that has the same rank. Equal values stay equal: a source of a single
    colour becomes the target's maximum in each channel.

    Args:
        source: The picture that is changed.
        target: The picture that has the wanted colours.

    Reference:
        scikit-image, `skimage.exposure.match_histograms`.
    """
    from skimage.exposure import match_histograms  # not above: it imports SciPy, which takes a while

    rgb = source.rgb.copy()
    rgb[_visible_mask(source)] = match_histograms(_visible(source), _visible(target), channel_axis=-1)
    return make_picture(rgb, source.alpha, source.name)


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise unknown("way to keep colours", kind, KINDS)


def _grey(picture: Picture, y: np.ndarray) -> Picture:
    """A grey picture of a luminance (height, width, 1), with the alpha and the name of another picture."""
    return make_picture(np.repeat(y.astype(np.float32), 3, axis=-1), picture.alpha, picture.name)


def _luminance_moments(picture: Picture) -> tuple[float, float]:
    """Mean and deviation of a picture's luminance, in float64."""
    y = luminance(_visible(picture)).astype(np.float64)
    return y.mean(), y.std()


def _with_moments(picture: Picture, mean: float, deviation: float) -> Picture:
    """A picture in grey, whose luminance has a mean and a deviation."""
    picture_mean, picture_deviation = _luminance_moments(picture)
    gain = deviation / max(picture_deviation, _LEAST_DEVIATION)
    return _grey(picture, gain * (luminance(picture.rgb) - picture_mean) + mean)


def _visible_mask(picture: Picture) -> np.ndarray:
    """The pixels that count, bool (height, width): those that are not transparent, or all if all are transparent."""
    if picture.alpha is None or not picture.alpha.any():
        return np.ones(picture.rgb.shape[:2], bool)
    return picture.alpha > 0


def _visible(picture: Picture) -> np.ndarray:
    """The colours that count: float32 (pixels, 3)."""
    return picture.rgb[_visible_mask(picture)]


def _moments(picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Mean (3,) and covariance (3, 3) of the colours, in float64, divided by the number of pixels."""
    pixels = _visible(picture).astype(np.float64)
    return pixels.mean(axis=0), np.cov(pixels, rowvar=False, bias=True)
