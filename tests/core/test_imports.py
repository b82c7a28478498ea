"""What modules import: nothing that takes seconds, unless it is used. One child process asks for all of them."""

import json
import subprocess
import sys

import pytest

KERAS = {"tensorflow", "keras"}
HEAVY = {*KERAS, "scipy", "skimage", "matplotlib", "tifffile", "h5py"}
LIGHT = {  # what is run in a fresh process -> what it must not import
    "import tfstyle": {*HEAVY, "numpy", "PIL"},
    "import tfstyle.cli.main": {*HEAVY, "numpy", "PIL"},
    "import tfstyle.core.version": {*HEAVY, "numpy", "PIL"},
    "import tfstyle.pipelines.methods": {*HEAVY, "numpy", "PIL"},
    "import tfstyle.images": HEAVY,
    "import tfstyle.images.color_transfer": HEAVY,
    "import tfstyle.images.samples": HEAVY - {"matplotlib"},
    "import tfstyle; tfstyle.samples": HEAVY - {"matplotlib"},
    "import tfstyle; dir(tfstyle)": HEAVY,
    "import tfstyle.pipelines.settings": HEAVY,
    "import tfstyle.pipelines.transfer": KERAS,
    "import tfstyle.pipelines.batch": KERAS,
    "import tfstyle.pipelines.apply": KERAS,
    "import tfstyle.experiments": KERAS,
    "import tfstyle.training": {*KERAS, "numpy"},
    "from tfstyle import training as t; t.CycleGANTraining(photos='p', paintings='s', output='r')": {
        *KERAS,
        "numpy",
    },
    "import tfstyle\ntry: tfstyle.transfer('missing.png', 'missing.png')\nexcept tfstyle.InputError: pass": KERAS,
    "import tfstyle\ntry: tfstyle.apply('missing.png', 'missing.png')\nexcept tfstyle.InputError: pass": KERAS,
}
CODE = """
import json, os, sys
for code in json.loads(sys.argv[1]):
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            exec(code, {})
            answer = sorted({name.partition(".")[0] for name in sys.modules})
        except BaseException as error:
            answer = repr(error)
        print(json.dumps([code, answer]), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def imported():
    """For each code all packages that a fresh process has imported after it."""
    command = [sys.executable, "-c", CODE, json.dumps(list(LIGHT))]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
    return dict(json.loads(line) for line in run.stdout.splitlines())


@pytest.mark.parametrize("code", LIGHT)
def test_nothing_heavy_is_imported(code, imported):
    assert isinstance(imported[code], list), imported[code]
    assert LIGHT[code] & set(imported[code]) == set()
