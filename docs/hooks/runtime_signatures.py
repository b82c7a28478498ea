"""Griffe extension: show signatures that are made at run time.

`takes(Settings)` gives a function the options of a settings class as keywords. The source shows the settings class
only; here the function gets the signature and the docstring that a user sees.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import griffe


class RuntimeSignatures(griffe.Extension):
    """Import what is declared by `takes` and `option`, and take signature, docstring and help from there."""

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Functions that are decorated by `takes`."""
        if not any(str(decorator.value).startswith("takes") for decorator in func.decorators):
            return
        function = getattr(importlib.import_module(func.module.path), func.name)
        signature = inspect.signature(function)
        func.parameters = griffe.Parameters(*(_parameter(each) for each in signature.parameters.values()))
        func.docstring = griffe.Docstring(inspect.getdoc(function) or "", parent=func, parser=griffe.Parser.google)

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """Settings classes that are decorated by `documented`."""
        if any(str(decorator.value) == "documented" for decorator in cls.decorators):
            documented = getattr(importlib.import_module(cls.module.path), cls.name)
            cls.docstring = griffe.Docstring(inspect.getdoc(documented) or "", parent=cls)

    def on_attribute(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """Fields of settings classes that are declared by `option`."""
        if not (attr.parent and attr.parent.is_class and str(attr.value).startswith("option(")):
            return
        from tfstyle.core.settings import options_of

        settings = getattr(importlib.import_module(attr.module.path), attr.parent.name)
        default = settings.__dataclass_fields__[attr.name].default
        attr.value = None if default is inspect.Parameter.empty else repr(default)
        attr.docstring = griffe.Docstring(options_of(settings)[attr.name].help, parent=attr)


def _parameter(parameter: inspect.Parameter) -> griffe.Parameter:
    annotation, default = parameter.annotation, parameter.default
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return griffe.Parameter(
        parameter.name,
        kind=griffe.ParameterKind(parameter.kind.description),
        annotation=None if annotation is parameter.empty else text,
        default=None if default is parameter.empty else repr(default),
    )
