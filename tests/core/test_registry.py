"""Registries: names of things that are imported on first use."""

import json
import subprocess
import sys
from fractions import Fraction

import pytest

from tfstyle.core.errors import InputError
from tfstyle.core.registry import Registry


@pytest.fixture
def numbers():
    return Registry("number", {"fraction": "fractions:Fraction", "decimal": "decimal:Decimal", "lost": "nowhere:X"})


def test_entries_are_what_the_places_name(numbers):
    assert numbers["fraction"] is Fraction
    assert (list(numbers), len(numbers)) == (["fraction", "decimal", "lost"], 3)


def test_asking_which_names_there_are_imports_nothing(numbers):
    assert "lost" in numbers
    assert "other" not in numbers
    assert 3 not in numbers
    assert numbers.check("lost") == "lost"


def test_only_the_entry_asked_for_is_imported():
    code = (
        "import json, sys; from tfstyle.core.registry import Registry; before = set(sys.modules);"
        "numbers = Registry('number', {'fraction': 'fractions:Fraction', 'tree': 'xml.etree.ElementTree:Element'});"
        "list(numbers); unused = set(sys.modules) - before; numbers['fraction'];"
        "print(json.dumps([sorted(unused), *(name in sys.modules for name in ('fractions', 'xml'))]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(run.stdout) == [[], True, False]


@pytest.mark.parametrize("ask", [lambda registry, name: registry[name], lambda registry, name: registry.check(name)])
def test_a_name_that_is_not_there_suggests_the_nearest(numbers, ask):
    with pytest.raises(InputError, match=r"number 'fractoin'.*did you mean fraction"):
        ask(numbers, "fractoin")
    with pytest.raises(InputError, match=r"number 'xyz'.*use one of fraction, decimal, lost"):
        ask(numbers, "xyz")
    with pytest.raises(InputError):
        ask(numbers, "Fraction")  # an entry has one spelling


def test_get_has_a_default_for_no_name_only_by_in(numbers):
    """`Mapping.get` catches a `KeyError`; an unknown name is an `InputError`, which says more."""
    assert numbers.get("fraction") is Fraction
    with pytest.raises(InputError, match="number 'other'"):
        numbers.get("other")


def test_a_place_that_does_not_exist_is_a_fault_of_the_package(numbers):
    with pytest.raises(ModuleNotFoundError):
        numbers["lost"]
