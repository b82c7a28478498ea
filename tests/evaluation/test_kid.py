"""KID against double sums in NumPy and float64, and of pictures."""

import itertools

import numpy as np
import pytest

import tfstyle
from tfstyle import Backbone, InputError, images
from tfstyle.evaluation import kid as kernel_distance
from tfstyle.losses.mmd import PolynomialKernel


def features(number, seed, shift=0.0, channels=7):
    return np.random.default_rng(seed).gamma(2.0, size=(number, channels)) + shift


def pairwise(x, y):
    """The unbiased estimate, pair by pair."""

    def k(a, b):
        return (sum(p * q for p, q in zip(a.tolist(), b.tolist(), strict=True)) / len(a) + 1) ** 3

    xx = np.mean([k(a, b) for a, b in itertools.permutations(x, 2)])
    yy = np.mean([k(a, b) for a, b in itertools.permutations(y, 2)])
    return xx + yy - 2 * np.mean([k(a, b) for a, b in itertools.product(x, y)])


def test_it_is_the_mean_over_all_pairs():
    x, y = features(6, 0), features(6, 1, 0.5)
    value, deviation = kernel_distance.estimate(x, y)
    assert value == pytest.approx(pairwise(x, y), rel=1e-12)
    assert deviation is None


def test_subsets_are_estimates_of_their_own():
    x, y = features(9, 0), features(5, 1)
    value, deviation = kernel_distance.estimate(x, y, subsets=7, subset=4, seed=3)
    random = np.random.default_rng(3)
    found = [pairwise(x[random.choice(9, 4, replace=False)], y[random.choice(5, 4, replace=False)]) for _ in range(7)]
    assert value == pytest.approx(np.mean(found), rel=1e-9)
    assert deviation == pytest.approx(np.std(found), rel=1e-9)


def test_it_is_unbiased():
    """Of one distribution the mean is 0, where an estimate with each picture beside itself is above by far."""
    found = [kernel_distance.estimate(features(8, i), features(8, 10_000 + i))[0] for i in range(800)]
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 3 * error
    x, y = (features(8, i) / np.sqrt(7) for i in (0, 10_000))
    k = kernel_distance.KERNEL.matrix
    assert k(x, x).mean() + k(y, y).mean() - 2 * k(x, y).mean() > 10 * error
    assert kernel_distance.estimate(features(8, 0), features(8, 1, 1.0))[0] > 10 * error


def test_the_kernel_is_that_of_the_statistic():
    """`matrix` is exact where the statistic has an exact map, of degree 2: MMD² over positions, with all pairs."""
    kernel, x, y = PolynomialKernel(2, 0.7), features(5, 0), features(6, 1)
    k = kernel.matrix
    want = k(x, x).mean() + k(y, y).mean() - 2 * k(x, y).mean()
    a, b = (kernel.averages(kernel.sums(each[None, None])) for each in (x, y))
    assert float(kernel.distance(a, b)[0]) == pytest.approx(want, rel=1e-9)


@pytest.fixture(scope="module")
def network():
    return Backbone("VGG19Mini")


@pytest.fixture(scope="module")
def sets():
    random = np.random.default_rng(0)
    fine = [random.random((40, 48, 3)).astype("float32") for _ in range(4)]
    return fine, [np.full((40, 40, 3), i / 4, "float32") for i in range(3)]


def test_pictures_are_seen_by_the_network_as_middle_squares(network, sets):
    found = tfstyle.kid(*sets, backbone=network, size=32, subsets=5)
    pooled = []
    for pictures in sets:
        squares = [images.load(p[:, (p.shape[1] - 40) // 2 :][:, :40].copy(), (32, 32)).rgb for p in pictures]
        pooled.append(np.asarray(network(np.stack(squares), ["block4_conv1"])["block4_conv1"]).mean((1, 2)))
    value, deviation = kernel_distance.estimate(*pooled, subsets=5)
    assert (found.value, found.deviation) == (pytest.approx(value, rel=1e-5), pytest.approx(deviation, rel=1e-4))
    assert found.protocol == (
        "KID of VGG19Mini block4_conv1, weights embedded, mean over positions, 32 px, mean of 5 subsets of 3, n=4 "
        "generated and 3 real; not comparable to published FID or KID"
    )
    assert str(found).startswith(f"{value:.4g} ± {deviation:.2g} (KID of ")


def test_folders_and_what_is_nearer(network, sets, tmp_path):
    random = np.random.default_rng(1)
    for i in range(4):
        images.save(random.random((40, 40, 3)).astype("float32"), tmp_path / f"{i}.png")
    near = tfstyle.kid(sets[0], tmp_path, backbone=network, size=32)
    far = tfstyle.kid(sets[1], tmp_path, backbone=network, size=32)
    assert near.value < 0.1 * far.value
    assert near.deviation is None


def test_bad_input_is_one_line(network, sets, tmp_path):
    for given, options, message in (
        ((sets[0], sets[1][:1]), {}, "there are 1 real pictures, and it takes 2 or more: give a set of them"),
        (sets, {"subset": 1}, "subset 1 can't be used: give a whole number from 2 to 1000000"),
        ((sets[0], tmp_path), {}, f"there is no picture in the folder {tmp_path}: put some there (.jpg, "),
    ):
        with pytest.raises(InputError) as error:
            tfstyle.kid(*given, backbone=network, **options)
        assert str(error.value).startswith(message)
