"""How the messages of a kernel become the outputs of a cell."""

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
