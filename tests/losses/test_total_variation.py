"""Total variation against NumPy in float64."""

import numpy as np

from tfstyle import Objective, TotalVariationTerm


def test_total_variation_is_the_formula(picture, photo, painting, losses):
    x = picture.astype("float64")
    want = 7 * (np.sum(np.diff(x, axis=0) ** 2) + np.sum(np.diff(x, axis=1) ** 2)) / x.size
    objective = Objective([TotalVariationTerm(7.0)])
    np.testing.assert_allclose(losses(objective, picture, photo, [painting])["total_variation"], want, rtol=1e-5)
    flat = np.full_like(picture, 0.3)
    assert losses(objective, flat, photo, [painting])["total_variation"] == 0


def test_its_repr_names_its_weight():
    assert repr(TotalVariationTerm(0.5)) == "TotalVariationTerm('total_variation', weight=0.5)"
