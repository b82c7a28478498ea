"""Losses and metrics of models that have their own."""

import pytest

from tfstyle import InputError
from tfstyle.core.compile_options import without_losses


def test_other_options_are_left():
    assert without_losses("GAN", {"loss": None, "run_eagerly": True}) == {"run_eagerly": True}


@pytest.mark.parametrize("name", ["loss", "metrics", "weighted_metrics", "loss_weights"])
def test_losses_and_metrics_are_refused(name):
    with pytest.raises(InputError, match=f"GAN takes no {name}.*: leave out {name}"):
        without_losses("GAN", {name: ["mse"]})
