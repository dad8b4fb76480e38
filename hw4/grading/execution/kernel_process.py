"""The kernel's process: ipykernel on sockets that the grader has bound where the submission's code cannot reach them.

Run as a script in a sandboxed process. A channel's port is the number of the descriptor on which its socket listens.
ipykernel's own launcher binds its sockets by name, in a folder that stays open to the code that it runs.
"""

import subprocess
import sys
from typing import Any

import ipykernel.zmqshell
import zmq
from ipykernel.kernelapp import IPKernelApp
from IPython.utils._process_common import process_handler


class KernelApp(IPKernelApp):
    """ipykernel, but for how its sockets come about, and without what nobody reads: heartbeat, connection file."""

    def _try_bind_socket(self, s: zmq.Socket[Any], port: int) -> int:
        s.setsockopt(zmq.USE_FD, port)
        s.setsockopt(zmq.SNDHWM, 0)  # what its queue has no place for is lost, the end of the cell with it
        return super()._try_bind_socket(s, port)

    def init_control(self, context: zmq.Context[Any]) -> None:
        super().init_control(context)
        self.debug_shell_socket.disconnect(self.shell_socket.getsockopt(zmq.LAST_ENDPOINT))  # a path out of reach

    def init_kernel(self) -> None:
        super().init_kernel()
        del sys.argv[1:]  # which would tell a random key

    def _nothing(self, **kwargs: Any) -> None:
        pass

    init_heartbeat = init_connection_file = write_connection_file = log_connection_info = _nothing


def run_command(command: str) -> int:
    """Run a cell's shell command and show what it says, without the terminal that IPython would open for it."""

    def show(process: "subprocess.Popen[bytes]") -> int:
        assert process.stdin and process.stdout
        process.stdin.close()
        for line in process.stdout:
            print(line.decode(errors="replace"), end="", flush=True)
        return process.wait()

    return process_handler(command, show, stderr=subprocess.STDOUT) or 0


if __name__ == "__main__":
    try:
        open("/dev/ptmx", "rb", buffering=0).close()
    except OSError:  # where no terminal is a submission's own
        ipykernel.zmqshell.system = run_command  # type: ignore[attr-defined]
    KernelApp.launch_instance()
