"""Where the files of the package lie."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
EMBEDDED = PACKAGE / "embedded"
"""The folder of the weights that come with the package."""
