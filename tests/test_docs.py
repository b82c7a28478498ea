"""The documentation is true of the code: commands parse, names resolve, links lead somewhere, examples run."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import inspect
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MODULES = sorted(path for path in (ROOT / "tfstyle").rglob("*.py") if ">>> " in path.read_text())
# Options of mkdocs, ruff, and the scripts in benchmarks/
OTHERS_OPTIONS = {"--strict", "--check", "--inter-op", "--torch-python"}

in_pages = pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: str(path.relative_to(ROOT)))


def prose(path: Path) -> str:
    """The Markdown of a page or a notebook."""
    if path.suffix == ".md":
        return path.read_text()
    cells = json.loads(path.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of one language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", prose(path), re.DOTALL | re.MULTILINE)


def commands(block: str) -> Iterator[list[str]]:
    """The arguments of each `tfstyle` command of a block for a shell."""
    for line in block.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(re.sub(r"\s# .*", "", line), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        lexer.commenters = ""
        command: list[str] | None = None
        for token in [*lexer, ";"]:
            if token == "tfstyle":
                command = []
            elif token.strip("();<>|&") == "":
                if command is not None:
                    yield command
                command = None
            elif command is not None and token != "$@":
                command.append(token)


@pytest.fixture(scope="module")
def parser():
    """The parser of all commands."""
    from tfstyle.cli.main import build_parser

    return build_parser()


@in_pages
def test_commands_parse(path, parser):
    for block in blocks(path, "sh"):
        for command in commands(block):
            try:
                parser.parse_args(command)
            except SystemExit as end:
                pytest.fail(f"tfstyle {shlex.join(command)}: exit code {end.code}")


def option_names(parser: Any) -> set[str]:
    """The options of a parser and of its commands."""
    names = set(parser._option_string_actions)
    for action in parser._actions:
        for command in getattr(action, "choices", None) or ():
            if isinstance(action.choices, dict):
                names |= option_names(action.choices[command])
    return names


@in_pages
def test_options_exist(path, parser):
    text = re.sub(r"<!--.*?-->", "", prose(path))
    known = option_names(parser) | OTHERS_OPTIONS
    assert not {name for name in re.findall(r"(?<![\w-])--[a-z][\w-]*", text) if name not in known}


def resolve(name: str) -> Any:
    """What a dotted name stands for.

    Raises:
        AttributeError, ModuleNotFoundError: There is no such thing.
    """
    value: Any = importlib.import_module("tfstyle")
    for part in name.split(".")[1:]:
        if not hasattr(value, part) and inspect.ismodule(value):
            importlib.import_module(f"{value.__name__}.{part}")
        value = getattr(value, part)
    return value


@in_pages
def test_names_exist(path):
    for name in set(re.findall(r"`(tfstyle(?:\.[A-Za-z]\w*)+)", prose(path))):
        if not name.endswith(("_", ".h5")) and not (ROOT / name.replace(".", "/")).exists():
            resolve(name)


@in_pages
def test_python_imports_resolve_and_keywords_exist(path):
    for block in blocks(path, "python"):
        tree = ast.parse(block)
        names: dict[str, Any] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                exec(ast.unparse(node), names)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (callable_ := _called(node.func, names)) is not None:
                parameters = inspect.signature(callable_).parameters
                if all(each.kind != each.VAR_KEYWORD for each in parameters.values()):
                    unknown = {keyword.arg for keyword in node.keywords} - parameters.keys() - {None}
                    assert not unknown, f"{ast.unparse(node.func)} has no {unknown}"


def _called(node: ast.expr, names: dict[str, Any]) -> Any:
    """The function or class of the package that is called, if the imports tell; None otherwise."""
    dotted = ast.unparse(node)
    root, *parts = dotted.split(".")
    if root not in names or not re.fullmatch(r"[\w.]+", dotted):
        return None
    value = names[root]
    if getattr(value, "__name__", "") == "tfstyle":
        value = resolve(dotted)
    else:
        for part in parts:
            value = getattr(value, part)
    return value if str(getattr(value, "__module__", "")).startswith("tfstyle") else None


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\((?!http|#)([^)#]+)", path.read_text()):
        assert (path.parent / link).exists(), link


@pytest.fixture(scope="module")
def generated():
    """The hook that fills pages."""
    spec = importlib.util.spec_from_file_location("generated", ROOT / "docs/hooks/generated.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_filled(generated):
    import tfstyle
    from tfstyle.cli.main import COMMANDS

    methods = generated.fill((ROOT / "docs/methods.md").read_text())
    assert all(f"## {name}\n" in methods and f"| [`{name}`]" in methods for name in tfstyle.METHODS)
    assert "generated:" not in methods
    help_texts = generated.fill((ROOT / "docs/command-line.md").read_text())
    assert all(f"## tfstyle {name}" in help_texts for name in COMMANDS)
    papers = (ROOT / "docs/reproducing.md").read_text()
    table = generated.fill(papers)
    assert all(f"| `{name}` |" in table and f"reproduce {name}" in papers for name in tfstyle.experiments.EXPERIMENTS)


def test_the_reference_has_all_packages(generated):
    packages = {path.parent.name for path in (ROOT / "tfstyle").glob("*/__init__.py")} - {"cli", "app"}
    pages = "\n".join(path.read_text() for path in (ROOT / "docs/api").glob("*.md"))
    assert packages == set(re.findall(r"^<!-- generated: modules tfstyle\.(\w+) -->$", pages, re.MULTILINE))
    losses = generated.modules("tfstyle.losses")
    assert "::: tfstyle.losses\n" in losses
    assert "::: tfstyle.losses.objective" in losses


# The examples of docstrings are full size; here they are as small as the networks allow.
_SMALL = "crop_size=32, epochs=1, steps=5, batch=2, "
SMALLER = (
    (r"\bepochs=\d+", "epochs=1"),
    (r"\bsteps=\d+", "steps=2"),
    (r"\bsize=(256|384|512)\b", "size=64"),
    (r"\bbatch\(\d+", "batch(2"),
    (r"\bCycleGAN\(", "CycleGAN(blocks=1, filters=4, "),
    (r"\bAdaINTraining\(", f"AdaINTraining({_SMALL}resize=32, held_out=0.0, backbone='vgg19mini', "),
    (r"(?<!\w)(|W|Cycle|AttentionCycle)GANTraining\(", rf"\1GANTraining({_SMALL}filters=2, "),
    (r"\bAttentionCycleGAN\(", "AttentionCycleGAN(filters=4, "),
    (r"(?<!\w)(W?GAN)\(", r"\1(filters=4, "),
    (r"\btransfer\(([^()]*)\)", r"transfer(\1, size=64, steps=2)"),
    (r"\bapply\(([^()]*)\)", r"apply(\1, size=64)"),
    (r"AdaIN\(\)", "AdaIN(Backbone('VGG19Mini', padding='reflection'))"),
    (r'Backbone\("VGG19"\)', 'Backbone("VGG19Mini")'),
)


class _Checker(doctest.OutputChecker):
    def check_output(self, want: str, got: str, flags: int) -> bool:
        """Examples that show no output may have some."""
        return not want or super().check_output(want, got, flags)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
@pytest.mark.usefixtures("eager")
def test_examples_of_docstrings_run(path, tmp_path, monkeypatch, photo, painting):
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
    monkeypatch.chdir(tmp_path)
    text = path.read_text()
    finder = doctest.DocTestFinder(exclude_empty=True)
    globs = _sample_names(text, photo, painting) if re.search("tensorflow|keras|import images|tfstyle", text) else {}
    own = {name: vars(module)[name] for name in ("content", "style") if callable(vars(module).get(name))}
    for test in finder.find(module, module.__name__, globs={**vars(module), **globs, **own}):
        for example in test.examples:
            for pattern, replacement in SMALLER:
                example.source = re.sub(pattern, replacement, example.source)
        report: list[str] = []
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        runner = doctest.DocTestRunner(_Checker(), verbose=False, optionflags=flags)
        runner.run(test, out=report.append)
        assert not runner.failures, "".join(report)


def _sample_names(text: str, photo: Any, painting: Any) -> dict[str, Any]:
    """Names that examples use without a definition, and files in the current folder."""
    import keras
    import numpy as np
    import tensorflow as tf

    import tfstyle
    from tfstyle import images

    for name in ("photo.jpg", "painting.jpg", "night.jpg", "wave.jpg", "mosaic.jpg"):
        images.save(photo if name == "photo.jpg" else painting, name)
    for folder, picture in (("photos", photo), ("paintings", painting)):
        Path(folder).mkdir()
        for number in (1, 2):  # a training takes two
            images.save(picture, f"{folder}/{number}.png")
    names: dict[str, Any] = {name: getattr(tfstyle, name) for name in tfstyle.__all__ if name != "__version__"}
    names |= {"keras": keras, "np": np, "tf": tf, "tfstyle": tfstyle}
    batch = np.random.default_rng(0).random((4, 64, 64, 3), "float32")
    for name in ("photos", "paintings", "contents", "styles", "pictures"):
        is_dataset = f"{name}.batch(" in text
        names[name] = tf.data.Dataset.from_tensor_slices(batch) if is_dataset else batch
    names["content"] = names["style"] = tf.constant(batch[:1])
    if "Canvas(objective" in text:
        backbone = tfstyle.Backbone("VGG19Mini")
        names["objective"] = tfstyle.Objective([tfstyle.ContentTerm(backbone), tfstyle.StyleTerm(backbone)])
    if re.search(r"(?<!\w)(model\.encode_style|from_adain\(trained)", text):
        names["model"] = names["trained"] = tfstyle.models.load()
    if "write_embedded(load(" in text:  # which else writes into the package
        names["load"] = lambda path: tfstyle.models.load()
        names["write_embedded"] = lambda model: len(model.weights)
    if "AdaptiveInstanceNormalization()" in text:
        names["content_features"] = names["style_features"] = batch
    return names
