"""What stands in several files has to agree, and data files have to be in the package."""

import re
import tomllib
from pathlib import Path

import pytest

import tfstyle
from tfstyle.core.version import VERSION

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_is_written_once():
    assert tfstyle.__version__ == VERSION
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "tfstyle.core.version.VERSION"}


def test_the_citation_is_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: [\"']?(.+?)[\"']?$", citation, re.MULTILINE)[1] == VERSION


def test_every_data_file_is_declared():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["tfstyle"]
    package = ROOT / "tfstyle"
    declared = {path for pattern in patterns for path in package.glob(pattern)}
    files = {path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert files == declared


@pytest.mark.parametrize("name", ["LICENSE", "NOTICE"])
def test_licences_go_with_the_package(name):
    assert name in PROJECT["project"]["license-files"]
    assert (ROOT / name).is_file()
