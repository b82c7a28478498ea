"""Functions whose keywords are the options of a settings class."""

from __future__ import annotations

import functools
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from tfstyle.core.errors import InputError, unknown
from tfstyle.core.settings import Option

P = ParamSpec("P")
S = TypeVar("S")
R = TypeVar("R")
A = TypeVar("A")


def described(settings: Any) -> Iterator[tuple[str, str]]:
    """Each option's name and help with its default, for docstrings."""
    for each in fields(settings):
        if "option" in each.metadata:
            own: Option = each.metadata["option"]
            unset = each.default is None and own.unset
            yield each.name, f"{own.help}{f' None: {own.unset}.' if unset else ''}"


def takes(settings_class: Callable[P, S]) -> Callable[[Callable[[A, S], R]], Callable[Concatenate[A, P], R]]:
    """Make a function of `(first, settings)` one of `(first, **the settings' fields)`.

    The function's signature has every option with its type and default, for `help()`, editors and type checkers. Its
    docstring gets a line for each option in place of `{options}`.

    Args:
        settings_class: A class made by `settings`.
    """

    def decorate(function: Callable[[A, S], R]) -> Callable[Concatenate[A, P], R]:
        first = next(iter(inspect.signature(function).parameters.values()))

        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> R:
            if not args and first.name not in options:
                raise TypeError(f"{function.__name__}() needs {first.name}")
            subject, args = (args[0], args[1:]) if args else (options.pop(first.name), args)
            check_names(settings_class, options)
            return function(subject, settings_class(*args, **options))

        result = inspect.signature(function).return_annotation
        parameters = [first, *inspect.signature(settings_class).parameters.values()]
        call.__signature__ = inspect.Signature(parameters, return_annotation=result)  # type: ignore[attr-defined]
        call.__doc__ = with_options(function.__doc__ or "", settings_class)
        return cast("Callable[Concatenate[A, P], R]", call)

    return decorate


def check_names(settings: Any, options: Iterable[str]) -> None:
    """See that all names are those of options.

    Raises:
        InputError: One isn't; the nearest names are suggested.
    """
    known = [each.name for each in fields(settings)]
    for name in options:
        if name in known:
            continue
        if reason := settings.refused.get(name):
            raise InputError(f"{name.replace('_', ' ')} {reason}")
        raise unknown("option", name, known)


def documented(cls: type[S]) -> type[S]:
    """Class decorator of settings: its docstring gets a line for each option in place of `{options}`."""
    cls.__doc__ = with_options(cls.__doc__ or "", cls)
    return cls


def with_options(docstring: str, settings: Any) -> str:
    """A docstring with a line for each option in place of `{options}`."""
    place = next((line for line in docstring.splitlines() if line.strip() == "{options}"), None)
    if place is None:
        return docstring
    indent = place[: place.index("{")]
    lines = [
        textwrap.fill(f"{name}: {text}", 116, initial_indent=indent, subsequent_indent=f"{indent}    ")
        for name, text in described(settings)
    ]
    return docstring.replace(place, "\n".join(lines))
