"""Settings: an option is declared once, as a field of a frozen dataclass.

From that field come the keyword of a Python function, its check, its line in the docstring, its option on the command
line, its entry in the JSON record and in the fingerprint of unfinished work, and the guard against overwriting an
input.

>>> @settings
... class BlurSettings(Settings):
...     radius: float = option(default=2.0, help="Radius of the blur.", metavar="PIXELS", above=0)
>>> BlurSettings(radius=3.0).record()
{'radius': 3.0}
>>> BlurSettings(radius=-1.0)
Traceback (most recent call last):
    ...
tfstyle.core.errors.InputError: radius -1 can't be used: give a number above 0
"""

from __future__ import annotations

import functools
import inspect
import math
import os
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, Literal, SupportsFloat, TypeVar, cast, dataclass_transform

from tfstyle.core.errors import InputError, check_whole, unknown

S = TypeVar("S")

LARGEST = 10_000_000  # of whole numbers that have no bound of their own (chosen)
SEEDS = 2**32 - 1  # the largest seed


@dataclass(frozen=True, kw_only=True)
class Option:
    """What is known of an option besides its name, its type and its default.

    Attributes:
        help: What it does and when to use it, in one or two sentences.
        metavar: What stands for its value in the command line's help.
        low: The least value of a number.
        high: The largest value of a number.
        above: A number that the value must exceed; in place of `low`.
        below: A number that the value must stay under; in place of `high`.
        unset: What None stands for, for the help: "the method's".
        choices: Names that a string must be one of, where its type is no `Literal`; called when they are needed.
        parse: From the command line's text to the value; None for what the type says.
        flag: Name on the command line, without dashes; None for the field's. False for none.
        repeatable: Whether the command line takes it several times, for a list.
        group: Heading in the help.
        recipe: Whether it takes the place of the method's field of that name.
        file: Whether its value may be an input file, which no output may overwrite.
        recorded: Whether it stands in records.
        fingerprint: Whether unfinished work can only go on with the same value.
    """

    help: str
    metavar: str | None = None
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    unset: str | None = None
    choices: Callable[[], Iterable[str]] | None = None
    parse: Callable[[str], Any] | None = None
    flag: str | Literal[False] | None = None
    repeatable: bool = False
    group: str = "options"
    recipe: bool = False
    file: bool = False
    recorded: bool = True
    fingerprint: bool = True


def option(default: Any, help: str, *, kw_only: bool = True, **attributes: Any) -> Any:
    """A dataclass field with an `Option`.

    Args:
        default: The default; `...` for an option that has none.
        help: As for `Option`.
        kw_only: Whether the field is given by keyword only.
        **attributes: As for `Option`.
    """
    metadata = {"option": Option(help=help, **attributes)}
    if default is ...:
        return field(metadata=metadata, kw_only=kw_only)
    return field(default=default, metadata=metadata, kw_only=kw_only)


@dataclass_transform(kw_only_default=True, frozen_default=True, eq_default=False, field_specifiers=(option,))
def settings(cls: type[S]) -> type[S]:
    """Class decorator of settings: a frozen dataclass whose fields are given by keyword."""
    return dataclass(frozen=True, kw_only=True, eq=False)(cls)


@settings
class Settings:
    """Base of all settings: fields made by `option`, checked when an object is made.

    Attributes:
        refused: Options of related settings that these don't take, with the end of the message that says why.

    Raises:
        InputError: A value of the wrong type, out of its bounds, or not among its choices.
    """

    refused: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        """Check every option."""
        for name in options_of(type(self)):
            check(type(self), name, getattr(self, name))

    def record(self) -> dict[str, Any]:
        """The options as JSON can hold them, without files, which have records of their own, and the method's."""
        return {
            name: plain(getattr(self, name))
            for name, each in options_of(type(self)).items()
            if each.recorded and not each.file and not each.recipe
        }

    def fingerprint(self) -> dict[str, Any]:
        """The options that must be the same for unfinished work to go on, as JSON can hold them."""
        known = options_of(type(self))
        return {name: value for name, value in self.record().items() if known[name].fingerprint}

    def overrides(self) -> dict[str, Any]:
        """The options that are given and take the place of the method's fields."""
        known = options_of(type(self))
        return {
            name: value for name, each in known.items() if each.recipe and (value := getattr(self, name)) is not None
        }

    def given(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        values = {each.name: (getattr(self, each.name), each.default) for each in fields(self)}
        return {name: value for name, (value, default) in values.items() if not _same(value, default)}

    def input_files(self) -> list[str | os.PathLike[str]]:
        """The paths among the options that may be input files."""
        values = [getattr(self, name) for name, each in options_of(type(self)).items() if each.file]
        return [
            value for each in values for value in as_list(each) if isinstance(value, (str, os.PathLike))
        ]  # fmt: skip


def _same(value: Any, default: Any) -> bool:
    """Whether a value is the default; arrays are no defaults, and aren't compared."""
    return value is default or (
        isinstance(value, (str, int, float)) and isinstance(default, (str, int, float)) and value == default
    )


def options_of(settings: Any) -> Mapping[str, Option]:
    """The options of a settings class by their names, in the order of declaration."""
    return _options_of(settings)


@functools.cache
def _options_of(settings: Any) -> Mapping[str, Option]:
    return {each.name: each.metadata["option"] for each in fields(settings) if "option" in each.metadata}


@functools.cache
def hint(settings: Any, name: str) -> Any:
    """The type of an option; `Any` where it names classes that are imported for type checkers only."""
    for cls in settings.__mro__:
        annotation = inspect.get_annotations(cls).get(name)
        if isinstance(annotation, str):
            try:
                return eval(annotation, vars(sys.modules[cls.__module__]))
            except NameError:
                return Any
        if annotation is not None:
            return annotation
    raise AttributeError(f"{settings.__name__} has no option {name!r}")


@dataclass(frozen=True)
class Kind:
    """What an option's type allows.

    Attributes:
        types: Its types, None and `Literal` left out.
        words: The strings of its `Literal`.
        optional: Whether None is allowed.
    """

    types: tuple[Any, ...]
    words: tuple[str, ...]
    optional: bool

    @property
    def number(self) -> type | None:
        """`int` or `float`, if it is a number (or one of the words)."""
        return next((each for each in (float, int) if each in self.types), None)

    @property
    def is_flag(self) -> bool:
        """Whether it is true or false."""
        return self.types == (bool,)

    @property
    def items(self) -> type | None:
        """`str` or `float`, if it is a sequence of those."""
        for each in self.types:
            arguments = typing.get_args(each)
            if typing.get_origin(each) in (Sequence, list, tuple) and arguments[0] in (str, float):
                return cast(type, arguments[0])
        return None


@functools.cache
def kind(settings: Any, name: str) -> Kind:
    """What the type of an option allows."""
    annotation = hint(settings, name)
    union = isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union
    parts = typing.get_args(annotation) if union else (annotation,)
    words = tuple(word for part in parts if typing.get_origin(part) is Literal for word in typing.get_args(part))
    plain_types = tuple(part for part in parts if part is not type(None) and typing.get_origin(part) is not Literal)
    return Kind(plain_types, words, type(None) in parts or annotation is Any)


def check(settings: Any, name: str, value: Any) -> None:
    """Check a value for an option.

    Raises:
        InputError: It has the wrong type, is out of bounds, or is not among the choices.
    """
    each, allowed, shown = options_of(settings)[name], kind(settings, name), name.replace("_", " ")
    if value is None:
        if not allowed.optional:
            raise InputError(f"{shown} None can't be used: give {_expected(each, allowed)}")
        return
    choices = allowed.words if each.choices is None else tuple(each.choices())
    numeric = allowed.number is not None and not (isinstance(value, str) and choices)
    if choices and not numeric and (each.choices is not None or str not in allowed.types):
        if not isinstance(value, str) or value not in choices:
            raise unknown(shown, value, choices)
    elif allowed.is_flag and not isinstance(value, bool):
        raise InputError(f"{shown} {value!r} can't be used: give True or False")
    elif allowed.types == (int,):
        check_whole(shown, value, int(each.low or 0), int(LARGEST if each.high is None else each.high))
    elif allowed.number is float and (allowed.types == (float,) or isinstance(value, (int, float))):
        check_number(shown, value, each)
    elif allowed.items is not None and not (isinstance(value, str) and str in allowed.types):
        check_items(shown, value, allowed.items)


def check_number(shown: str, value: Any, each: Option) -> None:
    """Check a number against the bounds of an option."""
    number = isinstance(value, SupportsFloat) and not isinstance(value, bool)
    low = -math.inf if each.low is None else each.low
    high = math.inf if each.high is None else each.high
    above, below = each.above, each.below
    inside = (
        number
        and math.isfinite(value)
        and low <= value <= high
        and (above is None or value > above)
        and (below is None or value < below)
    )
    if not inside:
        text = f"{value:g}" if number else repr(value)
        raise InputError(f"{shown} {text} can't be used: give {_range(each)}")


def check_items(shown: str, value: Any, items: type) -> None:
    """Check a list of numbers or of names."""
    item_type = str if items is str else SupportsFloat
    sized = hasattr(value, "__len__") and not isinstance(value, str)
    if not (sized and all(isinstance(each, item_type) for each in value)):
        raise InputError(f"{shown} {value!r} can't be used: give a list of {'names' if items is str else 'numbers'}")


def _range(each: Option) -> str:
    """Which numbers, in words: from 0 to 1, above 0."""
    if each.low is not None and each.high is not None:
        return f"a number from {each.low:g} to {each.high:g}"
    if each.low is not None and each.below is not None:
        return f"a number from {each.low:g} to less than {each.below:g}"
    if each.above is not None and each.high is not None:
        return f"a number above {each.above:g}, up to {each.high:g}"
    if each.above is not None:
        return f"a number above {each.above:g}"
    return "a number" if each.low is None else f"a number from {each.low:g} upwards"


def _expected(each: Option, allowed: Kind) -> str:
    if allowed.words:
        return f"one of {', '.join(allowed.words)}"
    if allowed.is_flag:
        return "True or False"
    return _range(each) if allowed.number else "a value"


def plain(value: Any) -> Any:
    """A value as JSON can hold it: paths become file names, sequences lists."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "tolist"):  # NumPy's numbers
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.path.basename(os.fspath(value))
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(getattr(value, "name", type(value).__name__))


def as_list(value: Any) -> list[Any]:
    """One thing, several of them, or None, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def default_text(each: Field[Any]) -> str:
    """What help says of a default."""
    own: Option = each.metadata["option"]
    if each.default is None or each.default is MISSING:
        return own.unset or "none"
    if isinstance(each.default, bool):
        return "yes" if each.default else "no"
    if isinstance(each.default, tuple):
        return ",".join(map(str, each.default)) or "none"
    return f"{each.default:g}" if isinstance(each.default, float) else str(each.default)
