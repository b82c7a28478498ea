"""Style codes on disk and in mixtures."""

import numpy as np
import pytest

from tfstyle import InputError
from tfstyle.models import StyleCode


@pytest.fixture
def codes():
    random = np.random.default_rng(0)
    return [StyleCode(*random.random((2, 6), "float32"), "VGG19/block4_conv1") for _ in range(2)]


def test_saved_and_loaded_it_is_the_same(codes, tmp_path):
    codes[0].save(tmp_path / "code.npz")
    again = StyleCode.load(tmp_path / "code.npz")
    np.testing.assert_array_equal(again.mean, codes[0].mean)
    np.testing.assert_array_equal(again.deviation, codes[0].deviation)
    assert again.layer == "VGG19/block4_conv1"
    assert again.mean.dtype == np.float32


def test_mixtures_are_weighted_means(codes):
    mixed = StyleCode.mix(codes, [0.25, 0.75])
    np.testing.assert_allclose(mixed.mean, 0.25 * codes[0].mean + 0.75 * codes[1].mean, rtol=1e-6)
    np.testing.assert_allclose(mixed.deviation, 0.25 * codes[0].deviation + 0.75 * codes[1].deviation, rtol=1e-6)
    np.testing.assert_allclose(StyleCode.mix(codes).mean, (codes[0].mean + codes[1].mean) / 2, rtol=1e-6)
    np.testing.assert_array_equal(StyleCode.mix(codes, [0, 1]).mean, codes[1].mean)
    assert mixed.mean.dtype == np.float32


def test_mixtures_that_mean_nothing_are_refused(codes):
    other = StyleCode(codes[0].mean, codes[0].deviation, "VGG19/block3_conv1")
    for given, weights, message in [
        ([codes[0], other], None, "style codes of VGG19/block3_conv1 and VGG19/block4_conv1 can't be mixed: "),
        ([], None, "style codes of nothing can't be mixed: "),
        (codes, [1.0], "there are 1 style weights for 2 style codes: "),
    ]:
        with pytest.raises(InputError) as error:
            StyleCode.mix(given, weights)
        assert str(error.value).startswith(message)


@pytest.mark.parametrize("kind", ["missing", "text", "array", "other", "pickle"])
def test_files_that_are_no_codes_are_refused(kind, tmp_path):
    path = tmp_path / "code.npz"
    if kind == "text":
        path.write_text("no code")
    elif kind == "array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif kind == "other":
        np.savez(path, mean=np.zeros(3))
    elif kind == "pickle":
        np.savez(path, mean=np.array([{}], object), deviation=np.zeros(3), layer="x")
    with pytest.raises(InputError) as error:
        StyleCode.load(path)
    message = str(error.value)
    assert message.startswith(f"{path} can't be read as a style code (")
    assert "\n" not in message
