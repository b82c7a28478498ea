"""Keeping the photograph's colours: what the optimisation shall see instead, and how colours come back.

Two ways of Gatys, Bethge, Hertzmann, Shechtman 2016, "Preserving Color in Neural Artistic Style Transfer"
(arXiv 1606.05897): painting in luminance only, and recolouring the style first, by mean and covariance or,
a third way that is common practice, by the channels' histograms. Pixels with alpha 0 have no say in statistics.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfstyle.core.errors import unknown
from tfstyle.images.picture import Picture, made_picture

KINDS = ("luminance", "ink", "statistics", "histogram")
"""The ways to keep colours; see `prepared`."""
GREY = ("luminance", "ink")
"""Those of them that paint in grey."""
LUMINANCE = np.array([0.299, 0.587, 0.114])  # Y of NTSC's YIQ: ITU-R BT.601, section 2.5.1
_LEAST_DEVIATION = 1 / 255  # chosen: what varies less than one level of 8 bits is noise, not to be amplified


def prepared(
    kind: str, content: Picture, styles: Sequence[Picture], mix: Sequence[float] | None = None
) -> tuple[Picture, list[Picture]]:
    """The content and style pictures that the optimisation shall see.

    - `"luminance"`: a grey content, and grey styles with the mean and deviation of the content's luminance;
      `restore` gives the painted picture its colours.
    - `"ink"`: grey styles as they are, and a grey content with the mean and deviation of their luminance (chosen):
      so the light and dark of ink on paper are the painting's; `restore` as above.
    - `"statistics"`: the content as it is, each style with the mean and covariance of the content's colours.
    - `"histogram"`: the content as it is, each style with the histograms of the content's channels, and before
      that with their mean and covariance: histograms by channel know nothing of how channels go together, and
      would leave colours in a style that is matched to a grey photograph.

    Args:
        kind: One of `KINDS`.
        content: The photograph, of any size.
        styles: The paintings, of any sizes; they keep them, their transparency and their names.
        mix: Their weights, which sum to 1; None for equal ones.

    Raises:
        InputError: An unknown kind.
    """
    _check(kind)
    if kind == "luminance":
        return _grey(content, luminance(content.rgb)), [match_luminance(style, content) for style in styles]
    if kind == "ink":
        each = [_tones(style) for style in styles]
        mean, deviation = np.average(each, axis=0, weights=mix)
        return _toned(content, mean, deviation), [_grey(style, luminance(style.rgb)) for style in styles]
    matched = [match_statistics(style, content) for style in styles]
    return content, matched if kind == "statistics" else [match_histogram(style, content) for style in matched]


def restore(
    kind: str,
    painted: np.ndarray,
    content: Picture,
    saturation: float = 1.0,
    tint: np.ndarray | None = None,
) -> np.ndarray:
    """The painted picture with the content's colours, where `prepared` has taken them away.

    Args:
        kind: One of `KINDS`; for all but those of `GREY`, the painted picture is returned as it is.
        painted: float32 (height, width, 3), sRGB in [0, 1]; of it only the luminance is used.
        content: The photograph in colour; it is resized to the painted picture's size where it has another.
        saturation: How much of its colours comes back, from 0 to 1; the rest is the tint's.
        tint: float32 (3,), the colour of the paper, of which the luminance doesn't count; None for grey.

    Returns:
        float32 (height, width, 3) in [0, 1].

    Raises:
        InputError: An unknown kind.
    """
    _check(kind)
    if kind not in GREY:
        return painted
    colours = content.resized(painted.shape[:2]).rgb
    if saturation != 1:
        colours = saturation * colours + (1 - saturation) * (np.full(3, 0.5) if tint is None else tint)
    return with_luminance(colours, luminance(painted))


def paper(styles: Sequence[Picture], mix: Sequence[float]) -> np.ndarray:
    """The colour of the paper that the styles are painted on, in their mix: float32 (3,).

    It is the mean of a style's brightest tenth (chosen).

    Args:
        styles: The paintings.
        mix: Their weights, which sum to 1.
    """
    colours = []
    for style in styles:
        rgb = _visible(style)
        y = luminance(rgb)[:, 0]
        colours.append(rgb[y >= np.quantile(y, 0.9)].mean(axis=0, dtype=np.float64))
    return (np.asarray(mix) @ colours).astype(np.float32)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """The luminance Y of YIQ, 0.299 R + 0.587 G + 0.114 B: (height, width, 3) to float32 (height, width, 1).

    In [0, 1] as the colours are; of a grey pixel it is exactly its value. It is taken of sRGB's values as they
    are, not of linear light.
    """
    return (np.asarray(rgb) @ LUMINANCE)[..., None].astype(np.float32)  # float64 until here: greys stay exact


def with_luminance(rgb: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The colours (I and Q of YIQ) of a picture with another luminance, clipped to [0, 1].

    Y has the same part in R, G and B when YIQ is turned back into RGB, so that another Y with the same I and Q
    is a shift of all three by its change. Clipping can change luminance and colour.

    Args:
        rgb: float32 (height, width, 3), sRGB in [0, 1].
        y: float32 (height, width, 1), the luminance in [0, 1].

    Returns:
        A new float32 (height, width, 3).
    """
    return np.clip(rgb + (y - luminance(rgb)), 0, 1).astype(np.float32, copy=False)


def match_luminance(source: Picture, target: Picture) -> Picture:
    """The source in grey, with the mean and deviation of the target's luminance, clipped to [0, 1].

    L' = σ_T / σ_S (L − μ_S) + μ_T, with σ_S at least 1/255 (chosen): a source that has but one colour becomes the
    target's mean, and noise isn't amplified above the target's deviation.

    Reference:
        Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer", luminance-only transfer.
    """
    return _toned(source, *_tones(target))


def match_statistics(source: Picture, target: Picture) -> Picture:
    """The source with the mean and covariance of the target's RGB, clipped to [0, 1].

    x' = A x + b with A = Σ_T^½ Σ_S^−½ and b = μ_T − A μ_S; the roots are the symmetric ones. In Σ_S^−½ variances,
    its eigenvalues, count as at least (1/255)² (chosen), so that greys, whose covariance has no inverse, and
    pictures of one colour can be matched: where the source doesn't vary, the result doesn't, and in no direction
    is noise amplified above the target's deviation.

    Reference:
        Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer", the "image analogies" form.
    """
    (own_mean, own), (wanted_mean, wanted) = (_moments(p) for p in (source, target))
    values, vectors = np.linalg.eigh(own)
    inverse_root = vectors / np.sqrt(np.maximum(values, _LEAST_DEVIATION**2)) @ vectors.T
    values, vectors = np.linalg.eigh(wanted)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T  # rounding makes zeros negative
    matched = (source.rgb - own_mean) @ (root @ inverse_root).T + wanted_mean
    return made_picture(matched.astype(np.float32), source.alpha, source.name)


def match_histogram(source: Picture, target: Picture) -> Picture:
    """The source with each channel's histogram, by itself, brought to the target's.

    Each value becomes the one below which the target has as large a part of its pixels; as ties keep together, a
    source of one colour becomes the target's maximum in each channel.

    Source:
        scikit-image, `skimage.exposure.match_histograms`.
    """
    from skimage.exposure import match_histograms  # not above: it imports SciPy, which takes a while

    rgb = source.rgb.copy()
    rgb[_seen(source)] = match_histograms(_visible(source), _visible(target), channel_axis=-1)
    return made_picture(rgb, source.alpha, source.name)


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise unknown("way to keep colours", kind, KINDS)


def _grey(picture: Picture, y: np.ndarray) -> Picture:
    """A picture's luminance (height, width, 1) as a grey picture."""
    return made_picture(np.repeat(y.astype(np.float32), 3, axis=-1), picture.alpha, picture.name)


def _tones(picture: Picture) -> tuple[float, float]:
    """Mean and deviation of a picture's luminance, in float64."""
    y = luminance(_visible(picture)).astype(np.float64)
    return y.mean(), y.std()


def _toned(picture: Picture, mean: float, deviation: float) -> Picture:
    """A picture in grey, its luminance brought to a mean and a deviation."""
    own, spread = _tones(picture)
    return _grey(picture, deviation / max(spread, _LEAST_DEVIATION) * (luminance(picture.rgb) - own) + mean)


def _seen(picture: Picture) -> np.ndarray:
    """Which pixels count, bool (height, width): those not wholly transparent, or all if none is visible."""
    if picture.alpha is None or not picture.alpha.any():
        return np.ones(picture.rgb.shape[:2], bool)
    return picture.alpha > 0


def _visible(picture: Picture) -> np.ndarray:
    """The colours that count: float32 (pixels, 3)."""
    return picture.rgb[_seen(picture)]


def _moments(picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Mean (3,) and covariance (3, 3) of the colours, in float64, divided by the number of pixels."""
    pixels = _visible(picture).astype(np.float64)
    return pixels.mean(axis=0), np.cov(pixels, rowvar=False, bias=True)
