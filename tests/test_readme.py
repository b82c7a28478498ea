"""The README's Python runs as it stands, but smaller and without downloaded weights."""

import re
from pathlib import Path

import numpy as np

from tfstyle import images

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_python_runs(tmp_path, monkeypatch, photo, painting):
    monkeypatch.chdir(tmp_path)
    images.save(photo, "photo.jpg")
    images.save(painting, "painting.jpg")
    one_line, composed, adversarial = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    variables: dict = {}
    exec(one_line.replace("steps=300", "steps=2, size=64").replace("alpha=0.8", "alpha=0.8, size=64"), variables)
    assert variables["result"].image.shape == (42, 64, 3)
    assert Path("out.json").exists()
    assert Path("fast.png").exists()
    small = composed.replace("steps=300", "steps=2").replace("size=512", "size=64").replace('"VGG19"', '"VGG19Mini"')
    exec(small, variables)
    assert variables["canvas"].steps_done == 2
    assert Path("log.csv").exists()
    assert np.isfinite(variables["canvas"].picture).all()
    for folder in ("photos", "paintings"):
        Path(folder).mkdir()
        images.save(photo, f"{folder}/1.png")
    small = adversarial.replace("CycleGAN(size=256)", "CycleGAN(size=32, blocks=0, filters=2, n_layers=1)")
    small = small.replace("epochs=200", "epochs=1").replace(
        '"paintings/")', '"paintings/", crop_size=32, resize=None)'
    )
    exec(small, variables)
    assert Path("paintings.keras").exists()


def test_it_is_short():
    assert len(README.splitlines()) <= 180


def test_its_commands_are_those_of_ci():
    """`.ci/run` takes these two lines from here."""
    first, second = (
        next(line for line in README.splitlines() if part in line) for part in ("tfstyle demo", "[test]")
    )
    assert first == "pip install -e . && tfstyle demo"
    assert second == 'pip install -e ".[test]" && pytest'
