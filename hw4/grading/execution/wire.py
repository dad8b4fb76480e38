"""A connection to a socket of a kernel: ZeroMQ's protocol, ZMTP 3.0 (rfc.zeromq.org/spec/23), as a client needs it.

pyzmq was weighed: it takes a message of however many parts into memory before anybody can refuse it.
"""

import socket
import struct
from collections.abc import Generator
from time import monotonic

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)  # signature, version, mechanism
MORE, LONG, COMMAND = 1, 2, 4  # flags of a frame
READY = b"\x05READY\x0bSocket-Type"
SUBSCRIBE = b"\x01"  # to every topic
PATHS = getattr(socket, "AF_UNIX", socket.AF_INET)  # Windows has none, and there no address is a path
PIECE = 1 << 18  # bytes read at a time
FRAME_OVERHEAD = 64  # bytes that a frame counts beside its content


class Wire:
    """A connection to a path, or to a host and port, as a socket of the `kind` "DEALER" or "SUB" makes it.

    A message of more than `largest` bytes is dropped. Raises `OSError` while nobody listens, and where it is broken.
    """

    def __init__(self, address: str | tuple[str, int], kind: str, largest: int, patience: float) -> None:
        self.largest, self._patience = largest, patience
        self._unread, self._messages = bytearray(), self._parse()
        self._socket = socket.socket(PATHS if isinstance(address, str) else socket.AF_INET)
        self._socket.settimeout(patience)
        self.close = self._socket.close
        try:
            self._socket.connect(address)
            ready = READY + struct.pack(">I", len(kind)) + kind.encode()
            self._socket.sendall(GREETING + bytes([COMMAND, len(ready)]) + ready)
            if self.receive(patience) is None:
                raise TimeoutError
            if kind == "SUB":
                self.send([SUBSCRIBE])
        except OSError:
            self.close()
            raise

    def send(self, parts: list[bytes]) -> None:
        """Send a message; raise `OSError`, too, where nobody takes it within the patience."""
        heads = [struct.pack(">BQ", LONG | MORE * (part is not parts[-1]), len(part)) for part in parts]
        self._socket.settimeout(self._patience)
        self._socket.sendall(b"".join(head + part for head, part in zip(heads, parts, strict=True)))

    def receive(self, seconds: float) -> list[bytes] | None:
        """Return the parts of the next message, no part if it was dropped; None if none comes in time."""
        deadline = monotonic() + seconds
        while (message := next(self._messages)) is None and (left := deadline - monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                piece = self._socket.recv(PIECE)
            except (TimeoutError, BlockingIOError):
                return None
            if not piece:
                raise ConnectionError("closed by the kernel")
            self._unread += piece
        return message

    def _parse(self) -> Generator[list[bytes] | None]:
        """Yield no part once the other end is ready, then those of each message; None whenever more must be read."""
        _, length = (yield from self._take(len(GREETING) + 2))[-2:]
        yield from self._take(length)
        yield []
        while True:
            parts, size, flags = [], 0, MORE
            while flags & (MORE | COMMAND):
                (flags,) = yield from self._take(1)
                length = int.from_bytes((yield from self._take(8 if flags & LONG else 1)), "big")
                size += length + FRAME_OVERHEAD
                if size > self.largest:
                    for start in range(0, length, PIECE):
                        yield from self._take(min(PIECE, length - start))
                elif flags & COMMAND:
                    yield from self._take(length)
                else:
                    parts.append((yield from self._take(length)))
            yield parts if size <= self.largest else []

    def _take(self, count: int) -> Generator[None, None, bytes]:
        """Return the next bytes, as soon as they are there."""
        while len(self._unread) < count:
            yield
        taken = bytes(self._unread[:count])
        del self._unread[:count]
        return taken
