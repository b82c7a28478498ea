"""Segmentations: pictures whose flat colours are labels of regions."""

from __future__ import annotations

import numpy as np

from tfstyle.core.errors import InputError
from tfstyle.images.io import load
from tfstyle.images.picture import Picture, quantized

SAME_COLOUR = 16  # distance of equal colours in levels of 8 bits (chosen): JPEG changes flat colours by less
_GREY = 8 / 255  # range of the channels of a grey pixel (chosen): lossy files and colour profiles change it by less
_LEAST_SHARE = 0.01  # of the pixels (chosen): a colour with fewer is a soft edge, from resampling or a lossy file
_COVERED_SHARE = 0.5  # of the pixels (chosen): if frequent colours cover less, the picture is a photograph
_CODE = np.array([65536, 256, 1])  # from levels of 8 bits to one number for a colour


def is_segmentation(picture: Picture) -> bool:
    """Whether a picture has at least one pixel that is not grey.

    Args:
        picture: The picture; its transparency doesn't count.
    """
    return bool(np.ptp(picture.rgb, axis=-1).max() > _GREY)


def palette(picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """The colours of a segmentation, and the label of each pixel.

    A colour counts if it covers at least 1 % of the visible pixels, together with the less frequent colours at most
    `SAME_COLOUR` levels away. Each pixel has the label of the nearest colour.

    Args:
        picture: The segmentation.

    Returns:
        The colours, int `(colours, 3)` in levels of 8 bits, by descending frequency; and the labels, int
        `(height, width)`: the index of a colour, or −1 for a transparent pixel.

    Raises:
        InputError: The frequent colours cover at most half of the picture.

    Examples:
        >>> colours, labels = palette(load(np.uint8([[[255, 0, 0], [255, 0, 0], [0, 0, 255]]])))
        >>> colours.tolist(), labels.tolist()
        ([[255, 0, 0], [0, 0, 255]], [[0, 0, 1]])
    """
    levels = quantized(picture.rgb, 8).astype(np.int64)
    visible = np.ones(levels.shape[:2], bool) if picture.alpha is None else picture.alpha > 0
    codes, inverse, counts = np.unique((levels @ _CODE)[visible], return_inverse=True, return_counts=True)
    candidates = codes[:, None] // _CODE % 256

    remaining, frequent = np.argsort(-counts, kind="stable"), []
    covered, least = 0, _LEAST_SHARE * counts.sum()
    # Flat colours have frequent codes. Without this bound photographs, which have many rare ones, would take long.
    while remaining.size and counts[remaining[0]] >= least / 10:
        near = distances(candidates[remaining], candidates[remaining[:1]])[:, 0] <= SAME_COLOUR
        if (count := counts[remaining[near]].sum()) >= least:
            frequent.append(remaining[0])
            covered += count
        remaining = remaining[~near]
    if covered <= _COVERED_SHARE * counts.sum():
        raise InputError(f"{picture.name} is not a mask: give one that is grey, or that has few, flat colours")
    colours = candidates[frequent]
    nearest = distances(candidates, colours).argmin(axis=1)
    labels = np.full(levels.shape[:2], -1)
    labels[visible] = nearest[inverse.ravel()]
    return colours, labels


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances of colours.

    Args:
        a: int `(n, 3)`.
        b: int `(m, 3)`.

    Returns:
        float64 `(n, m)`.
    """
    return np.sqrt((a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1))  # exact, being integers


def one_hot(labels: np.ndarray, number: int, shape: tuple[int, int]) -> np.ndarray:
    """A soft mask for each label, at another size.

    Args:
        labels: int `(height, width)` from −1 to `number` − 1.
        number: Number of labels that get a mask; −1 gets none.
        shape: (height, width) of the masks.

    Returns:
        float32 `(number, *shape)` in [0, 1]: soft at edges. At each pixel the masks, with that of −1, sum to 1.
    """
    channels = [load((labels == k).astype(np.float32), shape).rgb[..., 0] for k in range(-1, number)]
    stacked = np.stack(channels)
    return (stacked / stacked.sum(axis=0))[1:]
