"""KID against double sums in NumPy and float64, and of pictures."""

import itertools

import numpy as np
import pytest

import tfstyle
from tfstyle import Backbone, InputError, images
from tfstyle.evaluation import kid as module
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
    value, deviation = module.estimate(x, y)
    assert value == pytest.approx(pairwise(x, y), rel=1e-12)
    assert deviation is None


def test_subsets_are_estimates_of_their_own():
    x, y = features(9, 0), features(5, 1)
    value, deviation = module.estimate(x, y, subsets=7, subset_size=4, seed=3)
    random = np.random.default_rng(3)
    subsets = [(random.choice(9, 4, replace=False), random.choice(5, 4, replace=False)) for _ in range(7)]
    values = [pairwise(x[i], y[j]) for i, j in subsets]
    assert value == pytest.approx(np.mean(values), rel=1e-9)
    assert deviation == pytest.approx(np.std(values), rel=1e-9)


def test_it_is_unbiased():
    """For one distribution the mean is 0; the biased estimate, with each picture paired with itself, is larger."""
    values = [module.estimate(features(8, i), features(8, 10_000 + i))[0] for i in range(800)]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 3 * error
    x, y = (features(8, i) / np.sqrt(7) for i in (0, 10_000))
    k = module.polynomial_kernel
    assert k(x, x).mean() + k(y, y).mean() - 2 * k(x, y).mean() > 10 * error
    assert module.estimate(features(8, 0), features(8, 1, 1.0))[0] > 10 * error


def test_the_kernel_is_that_of_the_statistic():
    """The statistic has an exact map for degree 2: MMD² over positions is the mean of the kernel over all pairs."""
    kernel, x, y = PolynomialKernel(2, 0.7), features(5, 0), features(6, 1)

    def k(a, b):
        return module.polynomial_kernel(a, b, degree=2, offset=0.7)

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
    distance = tfstyle.kid(*sets, backbone=network, size=32, subsets=5)
    pooled = []
    for pictures in sets:
        squares = [images.load(p[:, (p.shape[1] - 40) // 2 :][:, :40].copy(), (32, 32)).rgb for p in pictures]
        pooled.append(np.asarray(network(np.stack(squares), ["block4_conv1"])["block4_conv1"]).mean((1, 2)))
    value, deviation = module.estimate(*pooled, subsets=5)
    assert distance.value == pytest.approx(value, rel=1e-5)
    assert distance.deviation == pytest.approx(deviation, rel=1e-4)
    assert distance.protocol == (
        "KID of VGG19Mini block4_conv1, weights embedded, mean over positions, 32 px, mean of 5 subsets of 3, n=4 "
        "generated and 3 real; not comparable to published FID or KID"
    )
    assert str(distance).startswith(f"{value:.4g} ± {deviation:.2g} (KID of ")


def test_folders_and_what_is_nearer(network, sets, tmp_path):
    random = np.random.default_rng(1)
    for i in range(4):
        images.save(random.random((40, 40, 3)).astype("float32"), tmp_path / f"{i}.png")
    near = tfstyle.kid(sets[0], tmp_path, backbone=network, size=32)
    far = tfstyle.kid(sets[1], tmp_path, backbone=network, size=32)
    assert near.value < 0.1 * far.value
    assert near.deviation is None


def test_bad_input_is_one_line(network, sets, tmp_path):
    for two_sets, options, message in (
        ((sets[0], sets[1][:1]), {}, "real images: there are 1, .*: give a larger set"),
        (sets, {"subset_size": 1}, "subset size 1 .*: give a whole number from 2"),
        (sets, {"subset": 5}, "'subset': did you mean subsets"),
        ((sets[0], tmp_path), {}, f"there is no picture in the folder {tmp_path}: put some there"),
    ):
        with pytest.raises(InputError, match=message):
            tfstyle.kid(*two_sets, backbone=network, **options)
