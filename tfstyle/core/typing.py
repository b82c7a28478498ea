"""Types that are named in many modules."""

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
