"""What a cell changes of what runs and checks it is named, and what any notebook does is not."""

import nbformat
import pytest

from hw4.grading.notebook.machinery import changes
from hw4.grading.notebook.questions import GIVEN, role
from tests.builders import NOTEBOOK, ROOT

CODE = [
    "import torch\nimport numpy as np\nimport matplotlib.pyplot as plt\nfrom torch import nn",
    "assert torch.allclose(torch.ones(1), torch.ones(1))\nassert all([True]) and abs(-1)",
]
CHANGES = {
    "get_ipython().ast_transformers.append(Strip())": "ast_transformers is reached",
    "ip = get_ipython()\nip.ast_transformers = [Strip()]": "get_ipython.ast_transformers is replaced",
    "get_ipython().input_transformers_post.append(f)": "input_transformers_post is reached",
    "from IPython import get_ipython as g\ng().input_transformers_cleanup.insert(0, f)": "IPython is imported",
    "ip = get_ipython()\nip.run_cell = lambda *a, **k: None": "get_ipython.run_cell is replaced",
    "import IPython\nIPython.core.interactiveshell.InteractiveShell.run_cell_async = f": "is replaced",
    "get_ipython().events.register('post_execute', f)": "events is reached",
    "def hook():\n    raise SystemExit\nget_ipython().set_custom_exc((Exception,), hook)": "SystemExit is raised",
    "%%capture\nassert 0": "%%capture is used",
    "%%script false\nassert 0": "%%script is used",
    "%%bash --no-raise-error\nexit 1": "%%bash is used",
    "%%time\ntorch.allclose = f": "torch.allclose is replaced",
    "%run -i other.py": "%run is used",
    "get_ipython().run_cell_magic('capture', '', 'assert 0')": "%%capture is used",
    "!cp mine.py hw4/evidence/figures.py": "a command of the system's shell is run",
    "raise SystemExit": "SystemExit is raised",
    "import sys as s\ns.exit()": "sys.exit is called",
    "torch.allclose = lambda *a, **k: True": "torch.allclose is replaced",
    "import torch as t\nt.testing.assert_close = print": "torch.testing.assert_close is replaced",
    "from torch import testing\ntesting.assert_close = print": "torch.testing.assert_close is replaced",
    "T = torch.testing\nT.assert_close = f": "torch.testing.assert_close is replaced",
    "setattr(torch, 'equal', f)": "torch.equal is replaced",
    "vars(torch)['equal'] = f": "torch.equal is replaced",
    "torch.__dict__.update(equal=f)": "torch is replaced",
    "import sys\nsys.modules['torch'].equal = f": "torch.equal is replaced",
    "__import__('torch').equal = f": "torch.equal is replaced",
    "object.__setattr__(torch, 'equal', f)": "torch.equal is replaced",
    "m = n = torch\nn.equal = f": "torch.equal is replaced",
    "import operator\noperator.setitem(vars(torch), 'equal', f)": "torch.equal is replaced",
    "torch.Tensor.__eq__ = f": "torch.Tensor.__eq__ is replaced",
    "nn.Module.__call__ = f": "torch.nn.Module.__call__ is replaced",
    "del torch.allclose": "torch.allclose is replaced",
    "for torch.allclose in [f]: pass": "torch.allclose is replaced",
    "from unittest import mock\nmock.patch('torch.allclose', f).start()": "torch.allclose is replaced",
    "from unittest.mock import patch\npatch.object(torch, 'allclose', f).start()": "torch.allclose is replaced",
    "import builtins\nbuiltins.all = f": "builtins.all is replaced",
    "__builtins__.AssertionError = Exception": "__builtins__.AssertionError is replaced",
    "AssertionError = KeyError": "AssertionError, which the given code relies on, is replaced",
    "def abs(x): return 0": "abs, which the given code relies on, is replaced",
    "torch = Fake()": "torch, which the given code relies on, is replaced",
    "from mine import torch": "torch, which the given code relies on, is replaced",
    "globals()['torch'] = Fake()": "torch is replaced",
    "try:\n    assert 0\nexcept: pass": "an assertion's failure is caught",
    "try:\n    for x in y:\n        assert x\nexcept (ValueError, Exception) as e: print(e)": "failure is caught",
    "try:\n    check()\nexcept AssertionError: pass": "an assertion's failure is caught",
    "from contextlib import suppress\nwith suppress(AssertionError):\n    assert 0": "failure is caught",
    "exec('torch.allclose = f')": "exec is called",
    "import gc\n[x for x in gc.get_objects()]": "get_objects is reached",
    "import sys\nsys._getframe(1).f_globals['x'] = 1": "_getframe is reached",
    "open('/proc/self/mem', 'r+b')": "/proc/self/mem is named",
    "import ipykernel.ipkernel": "ipykernel.ipkernel is imported",
}
COMMON = [
    "%matplotlib inline\nx = 1",
    "%%time\nx = 1",
    "%timeit torch.ones(1)",
    "plt.rcParams['figure.figsize'] = (4, 3)",
    "torch.backends.cudnn.deterministic = True",
    "torch.manual_seed(0); np.random.seed(0)",
    "input = torch.ones(1)\nlist = []",
    "model.eval()",
    "import re\nre.compile('x')",
    "import gc\ngc.collect()",
    "from IPython.display import display, Image",
    "import torch\nimport numpy as np\nfrom torch import nn\nimport torch.nn as nn",
    "x.grad = None\nself.w = 3",
    "counts = {}\ncounts.update(a=1)",
    "def f(x):\n    all = 3\n    return all",
    "try:\n    float('x')\nexcept Exception: pass",
    "y = torch.ones(2)\ny[0] = 1\ny.requires_grad = True\ny.grad = None",
    "model.weight.data = torch.zeros(1)",
    "'torch.allclose = f, in a text'  # torch.allclose = f",
    "import os\nos.environ['X'] = '1'",
    "this is no Python",
    "x = 1 \x00",
    "(" * 5000,
]


@pytest.mark.parametrize("source", CHANGES)
def test_a_change_of_the_machinery_is_named(source):
    assert CHANGES[source] in changes([source], CODE)[0]


@pytest.mark.parametrize("source", COMMON)
def test_what_any_notebook_does_is_none(source):
    assert changes([source], CODE) == [""]


def test_a_name_that_one_cell_binds_is_known_in_later_ones():
    assert "torch.allclose is replaced" in changes(["import torch as t", "t.allclose = f"], [])[1]


def test_our_own_notebook_changes_nothing():
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    given = [cell.source for cell in cells if role(cell) in (None, *GIVEN)]
    files = [file.read_text() for file in [*(ROOT / "hw4" / "evidence").glob("*.py"), ROOT / "hw4" / "answers.py"]]
    assert not any(changes([cell.source for cell in cells], given)) and not any(changes(files))
