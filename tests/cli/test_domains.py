"""Domains of made pictures: what is in them, the same for a seed, and a folder of them by the command line."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from tfstyle import images, samples
from tfstyle.cli.main import main
from tfstyle.core.errors import InputError


@pytest.fixture(scope="module")
def sketches():
    return np.stack([samples.domain("sketch", number, 96) for number in range(3)])


@pytest.mark.parametrize("name", samples.DOMAINS)
def test_a_picture_has_the_size_asked_for_and_numbers_and_seeds_differ(name):
    picture = samples.domain(name, 0, (64, 80))
    assert picture.shape == (64, 80, 3)
    assert picture.dtype == np.float32
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert np.abs(picture - samples.domain(name, 1, (64, 80))).mean() > 0.02
    assert np.abs(picture - samples.domain(name, 0, (64, 80), seed=1)).mean() > 0.02


@pytest.mark.large
def test_another_process_gives_the_same_bytes():
    code = "import hashlib; from tfstyle import samples; "
    code += "print(*[hashlib.sha256(samples.domain(n, 2, 64, 5).tobytes()).hexdigest() for n in samples.DOMAINS])"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    ).stdout.split()
    assert found == [hashlib.sha256(samples.domain(n, 2, 64, 5).tobytes()).hexdigest() for n in samples.DOMAINS]


def test_sketches_are_grey_and_mostly_paper_with_dark_marks(sketches):
    assert np.ptp(sketches, axis=-1).max() < 0.12
    for sketch in sketches:
        assert sketch.mean() > 0.4
        assert np.percentile(sketch, 99) > 0.85
        assert np.percentile(sketch, 2) < 0.45


def test_sketches_are_made_of_slanted_lines():
    """The gradient of hatching is across its lines: at an angle that photographs have no liking for."""

    def slanted(picture):
        y, x = np.gradient(ndimage.gaussian_filter(picture.mean(-1), 0.7))
        angle = np.arctan2(y, x) % np.pi
        return np.average((angle > np.pi / 8) & (angle < 3 * np.pi / 8), weights=np.hypot(x, y))

    sketch, photo = (
        np.mean([slanted(samples.domain(name, number, 144)) for number in range(3)]) for name in ("sketch", "photo")
    )
    assert sketch > 1.3 * photo


def test_unknown_domains_and_numbers_are_refused():
    with pytest.raises(InputError, match=r"^unknown domain 'watercolour'"):
        samples.domain("watercolour")
    with pytest.raises(InputError, match=r"^number -1 is negative: use 0 or more$"):
        samples.domain("ink", -1)
    with pytest.raises(InputError, match=r"^seed -1 is negative: use 0 or more$"):
        samples.domain("ink", seed=-1)


def test_the_command_writes_what_is_missing_and_overwrites_nothing(tmp_path, capsys):
    out = tmp_path / "a" / "photos"
    command = ["domains", "photo", f"--output={out}", "--size=64", "--seed=3"]
    assert main([*command, "--count=2"]) == 0
    assert capsys.readouterr().out == f"wrote 2 images into {out}\n"
    names = [f"photo-3-{number:06}.png" for number in range(3)]
    assert sorted(path.name for path in out.iterdir()) == names[:2]
    np.testing.assert_allclose(images.load(out / names[1]).rgb, samples.domain("photo", 1, 64, 3), atol=0.51 / 255)
    (out / names[0]).write_bytes(b"mine")
    assert main([*command, "--count=3"]) == 0
    assert capsys.readouterr().out == (
        f"wrote 1 images into {out}; 2 were there already, and are left as they were\n"
    )
    assert (out / names[0]).read_bytes() == b"mine"
    assert sorted(path.name for path in out.iterdir()) == names


def test_an_interrupted_command_says_that_it_can_go_on(tmp_path, capsys, monkeypatch):
    paint = samples.domain

    def interrupted(name, number, *given):
        if number == 1:
            raise KeyboardInterrupt
        return paint(name, number, *given)

    monkeypatch.setattr(samples, "domain", interrupted)
    assert main(["domains", "photo", "-o", str(tmp_path), "--size=64", "--count=3"]) == 130
    assert capsys.readouterr().err == "tfstyle: interrupted after 1 of 3 images: the same command continues\n"


def test_bad_input_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for given, said in (
        (["-o", str(tmp_path), "--count=0"], "count 0 can't be used: give a whole number from 1 to 1000000"),
        (["-o", str(tmp_path), "--size=63"], "size 63 can't be used: give a whole number from 64 to 4096"),
        (["-o", str(tmp_path / "file")], f"could not make the folder {tmp_path / 'file'}: File exists; choose "),
    ):
        assert main(["domains", "ink", *given]) == 2
        assert capsys.readouterr().err.startswith(f"tfstyle: {said}")
