"""How the messages of a kernel become the outputs of a cell."""

import sys

import nbformat
import pytest

from hw4.grading.execution.kernel import Kernel
from hw4.grading.execution.run import Limits, run_cells
from hw4.grading.sandbox.launcher import Launcher
from hw4.grading.sandbox.scratch import Scratch


@pytest.fixture(scope="module")
def kernel():
    with Launcher() as launcher, Scratch({}) as scratch, Kernel(launcher, scratch) as kernel:
        yield kernel


def outputs(kernel, *sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    list(run_cells(nbformat.v4.new_notebook(cells=cells), kernel, Limits(60, 60, output=10_000)))
    return [cell.outputs for cell in cells]


def test_lines_of_one_stream_are_joined(kernel):
    (found,) = outputs(kernel, "print(1, flush=True); print(2)")
    assert [output.text for output in found] == ["1\n2\n"]


def test_a_cleared_output_is_gone(kernel):
    (found,) = outputs(kernel, "from IPython.display import clear_output\nprint(1); clear_output(); print(2)")
    assert [output.text for output in found] == ["2\n"]


def test_a_clear_that_waits_keeps_the_old_output_until_the_next(kernel):
    (kept,) = outputs(kernel, "from IPython.display import clear_output\nprint(1); clear_output(wait=True)")
    (found,) = outputs(kernel, "from IPython.display import clear_output\nprint(1); clear_output(wait=True); print(2)")
    assert [output.text for output in kept + found] == ["1\n", "2\n"]


def test_a_display_is_updated_where_it_stands_from_a_later_cell(kernel):
    first, _ = outputs(
        kernel, "from IPython.display import display\nhandle = display('old', display_id=True)", "handle.update('new')"
    )
    assert [output.data["text/plain"] for output in first] == ["'new'"]


def test_the_result_of_the_last_expression_is_kept_with_its_count(kernel):
    (found,) = outputs(kernel, "6 * 7")
    assert found[0].data["text/plain"] == "42" and found[0].execution_count > 0


def executions(kernel, *sources, cell=60):
    """Return the executions of cells, and the cells."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    limits = Limits(cell, 60, output=100_000)
    return list(run_cells(nbformat.v4.new_notebook(cells=cells), kernel, limits)), cells


SEND = "k = get_ipython().kernel\nk.session.send(k.iopub_socket, {}, parent=k.get_parent())"


@pytest.mark.parametrize(
    "source",
    [
        "from IPython.display import publish_display_data\npublish_display_data({'text/plain': 'x'}, update=True)",
        "display({'image/png': None, 'text/plain': 't'}, raw=True)",
        "class Odd:\n    def _repr_mimebundle_(self, **_): return None\nOdd()",
        "display({'text/plain': 't'}, raw=True, metadata={'image/png': None})",
        SEND.replace("{}", "'stream', {}"),
        SEND.replace("{}", "'display_data', {'data': 7}"),
        SEND.replace("{}", "'error', {}"),
        SEND.replace("{}", "'clear_output', {'wait': [[]]}"),
        SEND.replace("{}", "'comm_close', {'comm_id': {}}"),
        SEND.replace("{}", "'take', {'execution_state': 7}"),
        SEND.replace("{}", "'execute_input', {'execution_count': -1}"),
        SEND.replace("{}", "'update_display_data', {'data': {'text/plain': 1}, 'transient': 'x'}"),
        "class Odd:\n    def _repr_mimebundle_(self, **_): return {'text/plain': float('nan')}, 3\nOdd()",
        "class Odd:\n    def _repr_mimebundle_(self, **_): return 7\nOdd()",
        "class Odd:\n    def _repr_png_(self): return 'no bytes'\nOdd()",
    ],
)
def test_whatever_a_cell_publishes_the_next_one_runs(kernel, source):
    done, cells = executions(kernel, source, "print('on')")
    assert [each.status for each in done] == ["failed" if "'error'" in source else "ok", "ok"]
    assert cells[1].outputs[0].text == "on\n"


@pytest.mark.parametrize("source", ["raise ValueError('x' * 200_000)", "raise type('x' * 200_000, (Exception,), {})"])
def test_the_reason_of_a_failure_is_cut_as_what_the_cell_puts_out(kernel, source):
    done, cells = executions(kernel, source)
    assert done[0].status == "failed" and len(done[0].reason) < 5000 and len(str(cells[0].outputs)) < 20_000


DRAWING = "import matplotlib.pyplot as plt\n%matplotlib inline\nplt.figure(figsize=(1, 1)); plt.title(r'$\\foo$');"
RAISES = "class Odd:\n    def __repr__(self): raise KeyError('no name')\nOdd()"
NO_TEXT = "class Odd:\n    def __repr__(self): return 7\nOdd()"
IN_HTML = "class Odd:\n    def _repr_html_(self): raise KeyError('html')\nOdd()"
OWN_TEXT = "class Odd(Exception):\n    def __str__(self): return 1 / 0\nraise Odd"


@pytest.mark.parametrize(
    "source", ["plt.plot([1, 2])", "plt.subplots(figsize=(1, 1))", "%matplotlib inline\nplt.plot([1])"]
)
def test_a_figure_is_shown_without_being_asked_for(kernel, source):
    _, (cell,) = executions(kernel, f"import matplotlib.pyplot as plt\n{source};")
    assert "image/png" in cell.outputs[-1].data


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (DRAWING, "ValueError"),
        (DRAWING.replace("%matplotlib inline\n", ""), "ValueError"),
        (RAISES, "KeyError: 'no name'"),
        (NO_TEXT, "TypeError: __repr__ returned non-string"),
        (IN_HTML, "KeyError: 'html'"),
        (OWN_TEXT, "ZeroDivisionError: division by zero"),
    ],
)
def test_what_fails_after_its_cell_has_ended_is_a_failure_with_its_own_name(kernel, source, reason):
    (done,), (cell,) = executions(kernel, source)
    assert done.status == "failed" and done.reason.startswith(reason)
    assert any(output.output_type == "error" for output in cell.outputs)


@pytest.mark.parametrize(
    "source",
    [
        "def hang():\n    while True:\n        pass\n\nhang()",
        "import threading\nlock = threading.Lock()\nlock.acquire()\ndef hang(): lock.acquire()\nhang()",
        "class Net:\n    def hang(self): return [x for x in iter(int, 1)]\nNet().hang()",
    ],
)
def test_a_loop_without_end_within_a_function_shows_where_it_hung(kernel, source):
    (done,), (cell,) = executions(kernel, source, cell=2)
    assert done.status == "timed out" and cell.execution_count is not None
    traceback = "\n".join(next(output for output in cell.outputs if output.output_type == "error").traceback)
    assert "KeyboardInterrupt" in traceback and "hang" in traceback


def test_what_an_output_widget_clears_is_its_own(kernel):
    source = (
        "import ipywidgets\nprint('kept')\nwidget = ipywidgets.Output()\ndisplay(widget)\n"
        "with widget:\n    print('gone')\n    widget.clear_output()\n    print('last')\nprint('after')"
    )
    (done,), (cell,) = executions(kernel, source)
    assert done.status == "ok"
    printed = "".join(output.get("text", "") for output in cell.outputs)
    assert printed == "kept\nlast\nafter\n"


def test_a_finished_progress_bar_of_a_notebook_is_stored_full(kernel):
    source = "import warnings, tqdm.notebook\nfor _ in tqdm.notebook.tqdm(range(40), desc='epoch'): pass"
    (done,), (cell,) = executions(kernel, source)
    assert done.status == "ok"
    text = cell.outputs[0].data["text/plain"]
    assert "epoch" in text and "40/40" in text and "0/40 [00:00<?" not in text


def test_two_displays_with_one_id_both_show_what_is_new(kernel):
    source = "display('old', display_id='a'); display('new', display_id='a');"
    _, (cell,) = executions(kernel, source)
    assert [output.data["text/plain"] for output in cell.outputs] == ["'new'", "'new'"]


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("!echo {1..3}", "1 2 3\n"),
        ("!echo $((2 ** 8)) a{b,c}", "256 ab ac\n"),
        ("lines = !for i in {1..2}; do echo $i; done\nprint(lines)", "['1', '2']\n"),
        ("!python -c 'import sys; print(sys.executable)'", f"{sys.executable}\n"),
        ("!python -m pip --version | cut -c1-3", "pip\n"),
    ],
)
def test_commands_run_in_the_shell_and_with_the_python_of_whoever_wrote_them(kernel, command, printed):
    _, (cell,) = executions(kernel, command)
    assert [output.text for output in cell.outputs] == [printed]


@pytest.mark.parametrize("bar", ["tqdm.notebook.tqdm(range(40), leave=False)", "tqdm.tqdm(range(40), leave=False)"])
def test_a_progress_bar_that_is_not_left_is_gone(kernel, bar):
    _, (cell,) = executions(kernel, f"import tqdm, tqdm.notebook\nfor _ in {bar}: pass\nprint('end')")
    assert "".join(str(output) for output in cell.outputs).count("40") == 0
    assert "".join(output.text for output in cell.outputs).strip() == "end"
