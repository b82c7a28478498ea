"""The README's Python runs as it stands, but smaller and without weights."""

import functools
import re
from pathlib import Path

import numpy as np
import pytest

import tfstyle
from tfstyle import images

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_python_runs(tmp_path, monkeypatch, photo, painting):
    monkeypatch.chdir(tmp_path)
    images.save(photo, "photo.jpg")
    images.save(painting, "painting.jpg")
    untrained = functools.partial(tfstyle.Backbone, weights="random")
    monkeypatch.setitem(vars(tfstyle), "Backbone", untrained)
    one_line, composed, feed_forward, adversarial = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    variables: dict = {}
    exec(one_line.replace("steps=300", "steps=2, size=64"), variables)
    assert variables["result"].image.shape == (42, 64, 3)
    assert Path("out.json").exists()
    exec(composed.replace("steps=300", "steps=2").replace("size=512", "size=64"), variables)
    assert variables["canvas"].steps_done == 2
    assert Path("log.csv").exists()
    assert np.isfinite(variables["canvas"].picture).all()
    for name in ("night.jpg", "wave.jpg"):
        images.save(painting, name)
    monkeypatch.setattr("tfstyle.models.adain.adain.Backbone", untrained)
    for folder in ("photos", "paintings"):
        Path(folder).mkdir()
        images.save(photo, f"{folder}/1.png")
    variables = {}
    exec(
        feed_forward.replace("epochs=10", "epochs=1").replace("256, resize=512, batch=8", "32, resize=40"), variables
    )
    assert variables["model"].stylize("photo.jpg", "night.jpg").shape == photo.shape
    assert Path("adain.keras").exists()
    small = "CycleGAN(size=32, blocks=0, filters=2, n_layers=1)"
    adversarial = adversarial.replace("CycleGAN(size=256)", small).replace("epochs=200", "epochs=1")
    exec(adversarial.replace('"paintings/")', '"paintings/", side=32, resize=None)'), variables)
    assert Path("paintings.keras").exists()


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)]+)\)", README))
def test_what_it_links_to_is_there(link):
    assert (Path(__file__).parent.parent / link).exists()


def test_its_table_lists_the_methods():
    assert set(tfstyle.METHODS) == set(re.findall(r"^\| `(\w[\w-]*)`", README, re.MULTILINE))
