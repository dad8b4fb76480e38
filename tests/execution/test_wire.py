"""The connection to a kernel's sockets, beside ZeroMQ's own library and beside an end that keeps to no protocol."""

import socket
import struct
import time
import tracemalloc
from contextlib import ExitStack
from threading import Thread
from types import SimpleNamespace

import pytest
import zmq

from hw4.grading.execution.kernel import Kernel
from hw4.grading.execution.wire import GREETING, Wire
from hw4.grading.sandbox.scratch import Scratch
from tests.builders import made

if not hasattr(socket, "AF_UNIX"):
    pytest.skip("the kernels' sockets are TCP's elsewhere", allow_module_level=True)

READY, SUBSCRIPTION = b"\x04\x06\x05READY", b"\x01\x01"


@pytest.fixture
def connected(tmp_path):
    """Return a function that connects a wire to a server which greets, sends some bytes, and then closes, if asked."""

    def connect(sent, closes=False, largest=1 << 20):
        path = str(tmp_path / "s")
        server = stack.enter_context(socket.socket(socket.AF_UNIX))
        server.bind(path)
        server.listen()

        def serve():
            end = stack.enter_context(server.accept()[0])
            end.sendall(GREETING + READY)
            for piece in sent:
                end.sendall(piece)
            if closes:
                while SUBSCRIPTION not in end.recv(1000):
                    pass
                end.close()

        thread = Thread(target=serve, daemon=True)
        thread.start()
        wire = Wire(path, "SUB", largest, 10.0)
        stack.callback(thread.join, 10)
        stack.callback(wire.close)
        return wire

    with ExitStack() as stack:
        yield connect


def parts(*contents, flags=0):
    """Return frames; all but the last say that more follow."""
    heads = [struct.pack(">BQ", 2 | flags | (n < len(contents) - 1), len(each)) for n, each in enumerate(contents)]
    return b"".join(head + each for head, each in zip(heads, contents, strict=True))


@pytest.mark.parametrize(("ours", "theirs"), [("DEALER", zmq.ROUTER), ("SUB", zmq.PUB), ("SUB", zmq.XPUB)])
@pytest.mark.parametrize("content", [[b"a"], [b"", b"x" * 255, b"y" * 256], [b"z" * 700_000, b""]])
def test_messages_go_to_and_fro_beside_the_library(tmp_path, ours, theirs, content):
    path = str(tmp_path / "s")
    with zmq.Context() as context, context.socket(theirs) as server:
        server.bind(f"ipc://{path}")
        wire = Wire(path, ours, 1 << 20, 10.0)
        if ours == "DEALER":
            wire.send(content)
            identity, *received = server.recv_multipart()
            assert received == content
            server.send_multipart([identity, *content])
            assert wire.receive(10) == content
        else:
            found = None
            while found is None:  # what is sent before the subscription has come is lost
                server.send_multipart(content)
                found = wire.receive(0.05)
            assert found == content
        wire.close()


TOO_MUCH = {
    "one large part": [parts(b"x" * (2 << 20))],
    "many large parts": [parts(*[b"x" * (1 << 19)] * 200)],
    "many empty parts": [parts(*[b""] * 100_000)],
    "a part that comes in drops": [struct.pack(">BQ", 2, 2 << 20), *[b"x" * 4096] * 512],
}


@pytest.mark.parametrize("sent", TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_message_that_is_too_large_is_dropped_and_the_next_one_comes(connected, sent):
    tracemalloc.start()
    wire = connected([*sent, parts(b"next")])
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    assert wire.receive(20) == [] and wire.receive(20) == [b"next"]
    assert tracemalloc.get_traced_memory()[1] - before < 4 << 20  # a quarter of a percent of the second one
    tracemalloc.stop()


@pytest.mark.parametrize("sent", [[b"\x03" + b"\xff" * 8 + b"x" * 100], [b"\x00"], [b"\x04\x05\x04PING"] * 9], ids=str)
def test_what_never_becomes_a_message_is_none(connected, sent):
    wire = connected(sent)
    assert wire.receive(0.2) is None and wire.receive(0) is None


def test_bytes_without_end_put_off_no_deadline(connected):
    wire = connected([b"\x02" + b"\x7f" * 8])
    assert wire.receive(0.2) is None
    pieces = iter([bytes(1 << 18)] * 100_000)
    wire._socket = SimpleNamespace(settimeout=lambda seconds: None, recv=lambda most: next(pieces))
    assert wire.receive(0.2) is None and next(pieces)


def test_a_command_between_two_messages_is_passed_over(connected):
    wire = connected([parts(b"one"), b"\x04\x05\x04PING", parts(b"two", b"three")])
    assert [wire.receive(10), wire.receive(10)] == [[b"one"], [b"two", b"three"]]


def test_what_came_before_the_end_is_read_first(connected):
    wire = connected([parts(b"last"), b"\x00\x09cut"], closes=True)
    assert wire.receive(10) == [b"last"]
    with pytest.raises(ConnectionError):
        wire.receive(10)


def test_who_does_not_greet_is_given_up(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        with pytest.raises(OSError, match="No such file"):
            Wire(str(tmp_path / "s"), "SUB", 9, 0.1)
        server.bind(str(tmp_path / "s"))
        server.listen()
        with pytest.raises(TimeoutError):
            Wire(str(tmp_path / "s"), "SUB", 9, 0.1)


SOCKETS = """
import os, socket, struct, threading
kernel, found = get_ipython().kernel, []
for number in sorted(map(int, os.listdir("/proc/self/fd"))):
    try:
        end = socket.socket(fileno=os.dup(number))
        end.getpeername()
    except OSError:
        continue
    if (end.family, end.type) == (socket.AF_UNIX, socket.SOCK_STREAM):
        found.append(end)
"""
ENDLESS = """
def flood(end):
    end.setblocking(True)
    for _ in range(1500):
        end.sendall(b"\\x03" + struct.pack(">Q", 1 << 20) + bytes(1 << 20))
for end in found: threading.Thread(target=flood, args=(end,), daemon=True).start()
import time; time.sleep(60)"""
RAW = "for end in found: end.setblocking(False); end.send({})\nimport time; time.sleep(60)"
WIRES = {
    "a message without end": (ENDLESS, "timed out"),
    "a part of 2^63 bytes": (RAW.format('b"\\x02" + struct.pack(">Q", 2**63) + b"x"'), "timed out"),
    "bytes of no protocol": (RAW.format("os.urandom(10_000)"), "timed out"),
    "commands": (RAW.format('b"\\x04\\x05\\x04PING" * 5000'), "timed out"),
    "closed for writing": ("for end in found: end.shutdown(socket.SHUT_WR)", "died"),
    "closed": ("for end in found: end.shutdown(socket.SHUT_RDWR)", "died"),
    "no signature": (
        "for _ in range(500): kernel.iopub_socket.send_multipart([b'<IDS|MSG>', b'0' * 64, *[b'{}'] * 4])",
        "ok",
    ),
    "nested parts that are signed": (
        "p = [b'[' * 100_000] * 4\n"
        "for _ in range(9): kernel.iopub_socket.send_multipart([b'<IDS|MSG>', kernel.session.sign(p), *p])",
        "ok",
    ),
    "buffers behind a message": (
        "for _ in range(9): kernel.session.send(kernel.iopub_socket, 'stream', {'name': 'stdout', 'text': 'x'},"
        " parent=kernel.get_parent(), buffers=[bytes(30 << 20)] * 9)",
        "flooded",
    ),
    "an error's name": ("raise type('E' * (12 << 20), (Exception,), {})", "flooded"),
    "metadata": ("display({'text/plain': 'x'}, raw=True, metadata={'a': 'x' * (90 << 20)})", "flooded"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("source", "status"), WIRES.values(), ids=WIRES)
def test_whatever_is_written_on_the_wire_the_next_cell_runs_and_the_grader_holds_little(result, source, status):
    tracemalloc.start()
    found = result(made({"before": "x = 1", "bad": SOCKETS + source, "after": "print('on')"}), cell=5, output=1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [each.status for each in found.finding.executions] == ["ok", status, "ok"] and peak < 150 << 20
    assert found.notebook.cells[2].outputs[0].text == "on\n"


def test_nothing_is_lost_that_is_read_slowly(launcher):
    kinds = []

    def slow(message):
        kinds.append(message["header"]["msg_type"])
        if len(kinds) == 3:  # after "status" and "execute_input"
            time.sleep(3)

    with Scratch({}) as scratch, Kernel(launcher, scratch) as kernel:
        source = "for n in range(5000): display('x' * 200)"  # ZeroMQ's queue has 1,000 places
        assert kernel.execute(source, 60, slow)["status"] == "ok"
    assert kinds.count("display_data") == 5000
