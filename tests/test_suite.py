"""Rules that the tests themselves keep."""

import ast
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_child_process_has_a_timeout(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    for call in calls:
        name, keywords = ast.unparse(call.func), {keyword.arg for keyword in call.keywords}
        if name in ("subprocess.run", "subprocess.check_output", "subprocess.check_call"):
            assert keywords & {"timeout", None}, f"line {call.lineno}: give {name} a timeout"
        elif name.endswith(("process.wait", ".communicate")):
            assert call.args or "timeout" in keywords, f"line {call.lineno}: give {name} a timeout"
