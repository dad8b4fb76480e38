"""What becomes of a kernel's messages: those of the documented form, and every other."""

import json
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from hw4.grading.execution.outputs import FLOOD, TRACEBACK_LINE, Flood, OutputCollector
from hw4.grading.notebook.format import write_notebook
from hw4.grading.text import text_on_terminal

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies
SLOW = [hypothesis.HealthCheck.too_slow]  # on a busy machine, which says nothing of what is tested


@pytest.fixture
def collector():
    return OutputCollector(new_code_cell("1"), {}, 100_000)


def message(kind, **content):
    return {"header": {"msg_type": kind}, "content": content}


def take_often(collector, published):
    for _ in range(3 * FLOOD):
        collector.take(published)


def valid(cell):
    """Return the outputs of a cell as its file has them, if the format takes them."""
    text = write_notebook(new_notebook(cells=[cell]))
    nbformat.validate(json.loads(text, parse_constant=pytest.fail))  # no browser reads NaN
    return json.loads(text)["cells"][0]["outputs"]


@pytest.mark.parametrize(
    ("kind", "content", "kept"),
    [
        ("stream", {"text": "x"}, [("stream", "x")]),
        ("stream", {"name": 7, "text": "x"}, [("stream", "x")]),
        ("stream", {"name": "stdout", "text": None}, []),
        ("display_data", {"data": {"text/plain": "x"}}, [("display_data", "x")]),
        ("display_data", {"data": {"image/png": None, "text/plain": "x"}, "metadata": None}, [("display_data", "x")]),
        ("display_data", {"data": {"text/plain": ["x", "y"]}, "metadata": []}, [("display_data", "xy")]),
        (
            "display_data",
            {"data": {"text/plain": {"a": 1}}, "metadata": {"image/png": None}},
            [("display_data", '{"a": 1}')],
        ),
        ("display_data", {"data": {"image/png": None}}, []),
        ("display_data", {"data": None}, []),
        ("display_data", {"data": "x", "transient": 7}, []),
        ("update_display_data", {"data": {"text/plain": "x"}}, []),
        ("update_display_data", {"data": {"text/plain": "x"}, "transient": {"display_id": []}}, []),
        ("execute_result", {"data": {"text/plain": "x"}, "execution_count": "seven"}, [("execute_result", "x")]),
        ("error", {}, [("error", "")]),
        ("error", {"ename": 7, "evalue": ["x"], "traceback": "no list"}, [("error", "['x']")]),
    ],
)
def test_a_message_of_another_form_is_mended_or_dropped_with_a_remark(collector, kind, content, kept):
    collector.take(message(kind, **content))
    collector.close()
    outputs = valid(collector.cell)
    said = outputs.pop() if not kept else None
    found = []
    for output in outputs:
        text = output.get("text") or output.get("evalue") or output.get("data", {}).get("text/plain") or ""
        found.append((output["output_type"], "".join(text)))
    assert found == kept
    assert not said or "outputs dropped: " in "".join(said["text"])


def test_a_kind_of_message_that_nobody_knows_is_no_output(collector):
    collector.take(message("comm_info_reply", data=1))
    collector.close()
    assert collector.outputs == []


@pytest.mark.parametrize(
    "broken", [{}, {"header": {}}, {"header": 7}, {"header": {"msg_type": "stream"}, "content": []}]
)
def test_what_is_no_message_is_dropped_with_a_remark(collector, broken):
    collector.take(broken)
    collector.close()
    assert "outputs dropped" in collector.outputs[0].text


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
kinds = ["stream", "display_data", "update_display_data", "execute_result", "error", "clear_output", "execute_input"]
kinds += ["comm_open", "comm_msg", "comm_close", "status", "take", "", "__init__"]
views = st.fixed_dictionaries({"model_id": st.sampled_from(["w", "v"]) | anything})
states = st.fixed_dictionaries(
    {},
    optional={
        "_model_name": st.just("OutputModel") | anything,
        "msg_id": st.text(max_size=1) | anything,
        "children": st.lists(st.sampled_from(["IPY_MODEL_w", "IPY_MODEL_v"]) | anything, max_size=3) | anything,
        "value": st.floats() | anything,
        "max": st.integers() | anything,
    },
)
kinds_of_data = ["text/plain", "image/png", "application/json", "application/x+json", "text/html", "text/\ud800"]
bundles = st.dictionaries(st.sampled_from(kinds_of_data), anything)
bundles |= st.fixed_dictionaries({"application/vnd.jupyter.widget-view+json": views | anything, "text/plain": anything})
bundles |= st.fixed_dictionaries({"state": states | anything, "method": st.just("update") | anything})
contents = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["stdout", "stderr"]) | anything,
        "text": st.text(st.characters()) | anything,
        "data": bundles | anything,
        "metadata": bundles | anything,
        "transient": st.fixed_dictionaries({"display_id": st.sampled_from(["a", "b"]) | anything}) | anything,
        "execution_count": st.integers() | anything,
        "ename": st.text() | anything,
        "evalue": st.text() | anything,
        "traceback": st.lists(st.text()) | anything,
        "wait": st.booleans() | anything,
        "comm_id": st.sampled_from(["w", "v"]) | anything,
        "target_name": st.just("jupyter.widget") | anything,
    },
)
messages = st.fixed_dictionaries(
    {"header": st.fixed_dictionaries({"msg_type": st.sampled_from(kinds) | anything})},
    optional={"content": contents | anything},
)


@pytest.mark.slow
@hypothesis.settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=SLOW)
@hypothesis.given(st.lists(messages, max_size=6))
def test_whatever_a_kernel_publishes_the_notebook_stays_valid(published):
    collector = OutputCollector(new_code_cell("1"), {}, 100_000)
    for each in published:
        collector.take(each)
    collector.close()
    valid(collector.cell)


@pytest.mark.parametrize("levels", [60, 5_000])
def test_what_is_nested_deeply_is_dropped(collector, levels):
    nested = {}
    for _ in range(levels):
        nested = {"a": nested}
    collector.take(message("display_data", data={"application/json": nested}, metadata={}))
    collector.take(message("display_data", data={"text/plain": "x"}, metadata={"a": nested}))
    collector.close()
    valid(collector.cell)
    assert "levels of nested data" in str(collector.outputs[-1].text)


@pytest.mark.parametrize(
    "content",
    [
        {"data": {"text/plain": ""}, "metadata": {"x": "y" * 200_000}},
        {"data": {"y" * 200_000: "x"}},
        {"data": {"text/plain": "x"}, "transient": {"display_id": "y" * 200_000}},
    ],
    ids=["metadata", "media type", "display id"],
)
def test_all_of_an_output_counts(collector, content):
    with pytest.raises(Flood):
        take_often(collector, message("display_data", **content))
    assert len(json.dumps(collector.outputs)) < 1000


@pytest.mark.parametrize("field", ["ename", "evalue"])
def test_an_error_counts_and_is_cut(collector, field):
    collector.take(message("error", **{field: "y" * 50_000, "traceback": []}))
    assert len(collector.outputs[0][field]) <= TRACEBACK_LINE and len(collector.error) <= 2 * TRACEBACK_LINE + 2
    with pytest.raises(Flood):
        take_often(collector, message("error", **{field: "y" * 50_000, "traceback": []}))


def test_errors_are_kept_up_to_the_limit_and_the_first_in_any_case(collector):
    collector.take(message("stream", text="x" * 50_000))
    collector.take(message("display_data", data={"text/plain": "x" * 80_000}))
    for number in range(900):
        collector.take(message("error", ename=f"E{number}", evalue="", traceback=[]))
    assert collector.outputs[2].ename == "E0" and len(json.dumps(collector.outputs)) < 150_000


def test_the_id_of_a_display_counts_as_long_as_it_is_known(collector):
    for number in range(9):
        transient = {"display_id": f"{number}" * 50_000}
        collector.take(message("display_data", data={"text/plain": "x"}, metadata={}, transient=transient))
    assert sum(map(len, collector._displays)) <= 100_000


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\b\b\r", ""])
def test_a_long_message_is_read_in_pieces_that_change_nothing(end):
    collector = OutputCollector(new_code_cell("1"), {}, 1 << 30)
    text = "".join(f"{number:07}{'x' * (number % 7)}{end}" for number in range(250_000)) + "done"
    collector.take(message("stream", text=text))
    assert collector.outputs[0].text == text_on_terminal(text)


def test_halves_of_characters_are_replaced_everywhere(collector):
    half = "\ud800"
    collector.take(message("stream", name="stdout", text=half))
    collector.take(message("error", ename=half, evalue=half, traceback=[half]))
    collector.take(message("display_data", data={half: half, "application/json": {half: half}}, metadata={half: half}))
    collector.close()
    write_notebook(new_notebook(cells=[collector.cell])).encode()


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        (["1%\r", "50%\r", "100%\n", "done\n"], "100%\ndone\n"),
        (["abc\rX"], "Xbc"),
        (["a\r\nb"], "a\nb"),
        (["ab\x08c"], "ac"),
        (["\x08\x08x\x08"], ""),
        (["one\ntwo\rT"], "one\nTwo"),
        (["\r 0%", "\r50%", "\r  "], "  %"),
    ],
)
def test_printed_text_is_stored_in_its_last_state(collector, printed, seen):
    for text in printed:
        collector.take(message("stream", name="stdout", text=text))
    collector.close()
    assert "".join(output.text for output in collector.outputs) == seen


def test_sixteen_thousand_updates_of_a_line_leave_its_end(collector):
    for number in range(16_000):
        collector.take(message("stream", name="stderr", text=f"\rstep {number}"))
    collector.take(message("stream", name="stderr", text="\rstep 16000\nend\n"))
    collector.close()
    assert [output.text for output in collector.outputs] == ["step 16000\nend\n"]


@pytest.mark.parametrize("pattern", ["x\x08", "a\r", "\r\n", "\x08"])
def test_long_texts_are_overwritten_at_once(pattern):
    assert len(text_on_terminal(pattern * 100_000)) <= 100_000
    assert len(text_on_terminal("x" * 100_000 + pattern[-1] * 100_000)) <= 200_000
    assert len(text_on_terminal("x" * 100_000 + "\ra" * 100_000)) == 100_000


def test_two_displays_with_one_id_show_both_the_new_state(collector):
    for text in ("old", "new"):
        data = {"text/plain": text}
        collector.take(message("display_data", data=data, metadata={}, transient={"display_id": "a"}))
    assert [output.data["text/plain"] for output in collector.outputs] == ["new", "new"]


@pytest.mark.parametrize("states", [["a", "b", "c"], ["a", "b", "a", "d"]])
def test_all_displays_of_one_id_show_the_last_state_also_in_a_later_cell(states):
    displays, cells = {}, [new_code_cell("1"), new_code_cell("2")]
    for cell, texts in zip(cells, (states[:-1], states[-1:]), strict=True):
        collector = OutputCollector(cell, displays, 100_000)
        for text in texts:
            content = {"data": {"text/plain": text}, "metadata": {}, "transient": {"display_id": "one"}}
            collector.take(message("display_data", **content))
        collector.close()
    shown = [output.data["text/plain"] for cell in cells for output in cell.outputs]
    assert shown == [states[-1]] * len(states)


def widget(comm, **state):
    return message("comm_open", comm_id=comm, target_name="jupyter.widget", data={"state": state})


def update(comm, **state):
    return message("comm_msg", comm_id=comm, data={"method": "update", "state": state})


def test_what_is_cleared_within_an_output_widget_is_the_widgets(collector):
    collector.take(message("stream", name="stdout", text="the cell's\n"))
    collector.take(widget("w", _model_name="OutputModel", msg_id=""))
    collector.take(update("w", msg_id="request"))
    collector.take(message("stream", name="stdout", text="the widget's\n"))
    collector.take(message("clear_output", wait=False))
    collector.take(message("stream", name="stdout", text="the widget's last\n"))
    collector.take(update("w", msg_id=""))
    collector.take(message("stream", name="stdout", text="the cell's again\n"))
    assert [output.text for output in collector.outputs] == [
        "the cell's\n",
        "the widget's last\n",
        "the cell's again\n",
    ]


def test_a_clearing_that_waits_within_an_output_widget_is_the_widgets(collector):
    collector.take(message("stream", name="stdout", text="the cell's\n"))
    collector.take(widget("w", _model_name="OutputModel", msg_id="request"))
    for text in ("first\n", "second\n"):
        collector.take(message("clear_output", wait=True))
        collector.take(message("stream", name="stdout", text=text))
    assert [output.text for output in collector.outputs] == ["the cell's\n", "second\n"]


def test_two_output_widgets_clear_each_its_own(collector):
    for comm in ("v", "w"):
        collector.take(widget(comm, _model_name="OutputModel", msg_id="request"))
        collector.take(message("stream", name="stdout", text=f"{comm} old\n"))
        collector.take(update(comm, msg_id=""))
    collector.take(update("v", msg_id="again"))
    collector.take(message("clear_output", wait=False))
    collector.take(message("stream", name="stdout", text="v new\n"))
    assert sorted(output.text for output in collector.outputs) == ["v new\n", "w old\n"]


def test_a_finished_progress_widget_is_stored_in_its_last_state(collector):
    view = "application/vnd.jupyter.widget-view+json"
    collector.take(widget("text", _model_name="HTMLModel", value="0%"))
    collector.take(widget("bar", _model_name="FloatProgressModel", value=0.0, max=40.0))
    collector.take(widget("box", _model_name="HBoxModel", children=["IPY_MODEL_text", "IPY_MODEL_bar"]))
    collector.take(message("display_data", data={"text/plain": "0% 0/40", view: {"model_id": "box"}}, metadata={}))
    collector.take(update("text", value="<b>100%</b> [00:01&lt;00:00]"))
    collector.take(update("bar", value=40.0))
    collector.close()
    assert collector.outputs[0].data["text/plain"] == "100% [00:01<00:00] 40/40"


@pytest.mark.parametrize("closed", [["box"], ["text", "box"], ["box", "box"]])
def test_a_widget_that_was_closed_is_no_longer_shown(collector, closed):
    collector.take(widget("text", _model_name="HTMLModel", value="0%"))
    collector.take(widget("box", children=["IPY_MODEL_text"]))
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "box"}, "text/plain": "0%"}
    collector.take(message("display_data", data=view, metadata={}))
    collector.take(message("stream", name="stdout", text="done"))
    for each in closed:
        collector.take(message("comm_close", comm_id=each, data={}))
    collector.close()
    assert [output.output_type for output in collector.outputs] == ["stream"]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_does_not_have_are_left_out(collector, number):
    data = {"application/json": {"a": [number, 1]}, "text/plain": number}
    collector.take(message("display_data", data=data, metadata={"x": {"y": number}}))
    collector.close()
    (output,) = valid(collector.cell)
    assert output["data"]["application/json"] == {"a": [None, 1]} and output["metadata"] == {"x": {"y": None}}


def test_widgets_that_hold_each_other_end(collector):
    view = "application/vnd.jupyter.widget-view+json"
    collector.take(widget("a", children=["IPY_MODEL_b", "IPY_MODEL_b"]))
    collector.take(widget("b", children=["IPY_MODEL_a", "IPY_MODEL_a"]))
    collector.take(message("display_data", data={"text/plain": "x", view: {"model_id": "a"}}, metadata={}))
    collector.close()
    assert collector.outputs[0].data["text/plain"] == "x"


@pytest.mark.parametrize(
    "state",
    [
        {"children": ["a"] * 200_000},
        {"description": "<" * 500_000},
        {"description": "<b>" + "y" * 500_000},
        {"value": 10**400, "max": 10**400},
    ],
    ids=["children", "brackets", "words", "numbers"],
)
def test_a_widget_costs_no_more_than_any_output(state):
    collector, view = OutputCollector(new_code_cell("1"), {}, 200_000), "application/vnd.jupyter.widget-view+json"
    collector.take(widget("a", **state))
    for _ in range(100):
        collector.take(message("display_data", data={"text/plain": "x", view: {"model_id": "a"}}, metadata={}))
    start = time.monotonic()
    collector.close()
    assert time.monotonic() - start < 20 and len(json.dumps(collector.outputs)) < 250_000


@pytest.mark.parametrize("kind", ["update_display_data", "display_data"])
def test_many_displays_of_one_id_cannot_be_updated_beyond_the_limit(collector, kind):
    for _ in range(100):
        content = {"data": {"text/plain": "x"}, "metadata": {}, "transient": {"display_id": "a"}}
        collector.take(message("display_data", **content))
    collector.take(message(kind, data={"text/plain": "y" * 20_000}, metadata={}, transient={"display_id": "a"}))
    collector.close()
    assert len(json.dumps(collector.outputs)) < 110_000 and "1 outputs cut" in collector.outputs[-1].text


def test_a_display_that_is_updated_often_takes_no_more_of_the_limit(collector):
    for number in range(200):
        kind = "update_display_data" if number else "display_data"
        data = {"text/plain": str(number) * 1000}
        collector.take(message(kind, data=data, metadata={}, transient={"display_id": "a"}))
    collector.take(message("display_data", data={"text/plain": "z" * 50_000}, metadata={}))
    collector.close()
    assert [output.data["text/plain"][:3] for output in collector.outputs] == ["199", "zzz"]
