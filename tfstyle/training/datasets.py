"""Images to train on as `tf.data.Dataset`s: batches of one domain, and unpaired batches of two."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from tfstyle.core.errors import InputError, check_whole
from tfstyle.core.runtime import steady
from tfstyle.training.crops import Crops, images_in

Folder = str | os.PathLike[str]
_SEED_STEP = 1  # between the seeds of both domains, so that equal folders don't give pairs of equal crops
_LARGEST = 10_000_000  # steps per epoch


def unpaired(
    first: Folder | Sequence[Folder] | Crops,
    second: Folder | Sequence[Folder] | Crops,
    *,
    crop_size: int = 256,
    batch: int = 1,
    resize: int | None = 286,
    flip: bool = True,
    seed: int = 0,
    steps: int | None = None,
    epoch: int = 0,
) -> tf.data.Dataset:
    """Batches of crops from two domains, such as photographs and paintings, for Keras' `fit`.

    Each iteration over the dataset is an epoch with other crops and other pairs. They depend on the seed and the
    epoch's number alone. Files that can't be read are skipped. Images are decoded and resized once, and cropped and
    mirrored anew each time.

    Args:
        first: A folder of images, several folders, or `Crops`.
        second: Folders or `Crops` of the other domain.
        crop_size: Side of the crops in pixels.
        batch: Pairs per step.
        resize: Shorter side of the images before they are cropped, in pixels; None for crops of any scale.
        flip: Whether every second crop, at random, is mirrored.
        seed: Seed of the order and of the crops.
        steps: Batches per epoch; None for as many as the images of the larger domain fill.
        epoch: Number of the first epoch, from 0: where a training continues.

    Returns:
        A dataset of `(first, second)`, each float32 (batch, crop_size, crop_size, 3), RGB in [0, 1].

    Raises:
        InputError: There is no such folder, no image in it can be read, or a number can't be used.

    Examples:
        >>> pairs = tfstyle.data.unpaired("photos/", "paintings/", crop_size=256)
    """
    domains = []
    for place, source in enumerate((first, second)):
        if not isinstance(source, Crops):
            paths = images_in([source] if isinstance(source, (str, os.PathLike)) else source)
            source = Crops(paths, crop_size, batch, seed + place * _SEED_STEP, resize=resize, flip=flip)
        domains.append(source)
    one, other = domains
    if one.batch != other.batch:
        raise InputError(f"batches of {one.batch} and {other.batch} can't be paired: give both the same batch")
    one(0), other(0)  # raises here, and not within TensorFlow, if nothing can be read
    if steps is None:
        steps = -(-max(len(one.paths), len(other.paths)) // one.batch)
    check_whole("steps", steps, 1, _LARGEST)
    shapes = ((one.batch, one.crop_size), (other.batch, other.crop_size))
    return _epochs(lambda step: (one(step), other(step)), shapes, steps, epoch)


def single(crops: Crops, *, steps: int | None = None, epoch: int = 0) -> tf.data.Dataset:
    """Batches of crops of one domain, for models that generate images from noise.

    Args:
        crops: Crops of the domain.
        steps: Batches per epoch; None for as many as the images fill.
        epoch: Number of the first epoch, from 0.

    Returns:
        A dataset of float32 (batch, crop_size, crop_size, 3), RGB in [0, 1].

    Raises:
        InputError: No image can be read, or a number can't be used.
    """
    crops(0)
    steps = -(-len(crops.paths) // crops.batch) if steps is None else steps
    check_whole("steps", steps, 1, _LARGEST)
    return _epochs(lambda step: (crops(step),), ((crops.batch, crops.crop_size),), steps, epoch).map(lambda x: x)


def fixed(first: Crops, second: Crops, steps: int) -> tf.data.Dataset:
    """The first batches of two domains, the same ones in each iteration: a dataset to evaluate on.

    Args:
        first: Crops of one domain.
        second: Crops of the other domain.
        steps: Number of batches.
    """
    batches = [(first(step), second(step)) for step in range(steps)]
    return steady(tf.data.Dataset.from_tensor_slices(tuple(np.stack(half) for half in zip(*batches, strict=True))))


def _epochs(
    draw: Callable[[int], tuple[np.ndarray, ...]],
    shapes: Sequence[tuple[int, int]],
    steps: int,
    epoch: int,
) -> tf.data.Dataset:
    """A dataset of which each new iterator is the next epoch.

    Args:
        draw: Returns the batches of a step.
        shapes: For each domain the batch size and the crop size.
        steps: Batches per epoch.
        epoch: Number of the first epoch.
    """
    next_epoch = epoch

    def first_step() -> np.ndarray:
        nonlocal next_epoch
        next_epoch += 1
        return np.array((next_epoch - 1) * steps, np.int64)

    def batches_of(step: tf.Tensor) -> tuple[tf.Tensor, ...]:
        batches = tf.numpy_function(lambda step: draw(int(step)), [step], [tf.float32] * len(shapes))
        for pictures, (batch, crop_size) in zip(batches, shapes, strict=True):
            pictures.set_shape((batch, crop_size, crop_size, 3))
        return tuple(batches)

    def steps_of_epoch(_: tf.Tensor) -> tf.data.Dataset:
        start = tf.numpy_function(first_step, [], tf.int64)
        start.set_shape(())
        return tf.data.Dataset.range(start, start + steps)

    dataset = tf.data.Dataset.range(1).flat_map(steps_of_epoch)
    dataset = dataset.map(batches_of, num_parallel_calls=2, deterministic=True)  # Python decodes one at a time
    return steady(dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2))
