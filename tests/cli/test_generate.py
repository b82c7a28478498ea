"""`tfstyle generate`: pictures of noise by a trained model."""

import os
import re

import numpy as np
import pytest

from tfstyle import images
from tfstyle.cli.main import main
from tfstyle.models import GAN, WGAN

pytestmark = pytest.mark.usefixtures("eager")


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_those_of_the_model_and_the_seed(tmp_path, capsys, channels):
    model = GAN(8, filters=2, channels=channels, seed=0)
    model.save(tmp_path / "gan.keras")
    command = ["generate", str(tmp_path / "gan.keras"), f"--output={tmp_path / 'deep' / 'made'}"]
    assert main([*command, "--count=3", "--seed=5"]) == 0
    assert capsys.readouterr().out == f"wrote 3 pictures into {tmp_path / 'deep' / 'made'}\n"
    names = [f"5-00000{number}.png" for number in range(3)]
    assert sorted(os.listdir(tmp_path / "deep" / "made")) == names
    for name, picture in zip(names, model.generate(3, seed=5), strict=True):
        found = images.load(tmp_path / "deep" / "made" / name).rgb
        np.testing.assert_allclose(found, np.broadcast_to(picture, (8, 8, 3)), atol=1 / 500)
    assert main([*command, "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert len(os.listdir(tmp_path / "deep" / "made")) == 3 + 16


def test_bad_input_is_one_line(tmp_path, capsys):
    WGAN(32, "pictures", filters=2, blocks=0, n_layers=1).save(tmp_path / "wgan.keras")
    GAN(8, filters=2, channels=2).save(tmp_path / "two.keras")
    GAN(8, filters=2, channels=1).save(tmp_path / "one.keras")
    (tmp_path / "file").write_text("mine")
    for arguments, match in (
        (["wgan.keras"], r"wgan\.keras has a WGAN, .*: give a trained gan"),
        (["embedded"], "AdaIN, which makes no pictures from noise: give a trained gan"),
        (["two.keras", "--count=0"], "count 0 .*a whole number from 1 to 1000000"),
        (["two.keras", "--seed=-1"], "seed -1 .*a whole number from 0 to 4294967295"),
        (["two.keras"], r"two\.keras makes pictures of 2 channels: give one of 1 or 3"),
        (["one.keras", f"--output={tmp_path / 'file'}"], f"could not make the folder {tmp_path / 'file'}: "),
    ):
        model = str(tmp_path / arguments[0]) if ".keras" in arguments[0] else arguments[0]
        assert main(["generate", model, f"--output={tmp_path / 'out'}", *arguments[1:]]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("tfstyle: ")
        assert re.search(match, line)
    assert (tmp_path / "file").read_text() == "mine"
