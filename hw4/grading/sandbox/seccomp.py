"""A filter of system calls: it refuses those that a homework needs none of, and that would lead around the sandbox.

libseccomp's Python binding was weighed: it needs a system library that not every machine has.
"""

import ctypes
import errno
import os
import socket
import struct
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from . import linux

CALLS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("system_calls.toml").read_text(encoding="utf-8"))
# What is refused only where nothing else keeps from it: the tables "hides_files" and "hides_memory", and sockets with
# a path or a name.
ALSO = ("hides_files", "hides_memory", "reaches_sockets")
FAMILIES = [socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK]  # the last lists the addresses

X32 = 0x40000000  # __X32_SYSCALL_BIT of asm/unistd.h: x86_64's second table of calls

# linux/bpf_common.h and linux/filter.h
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
INSTRUCTION = struct.Struct("=HBBI")  # struct sock_filter: code, jump if true, jump if false, operand
# linux/seccomp.h
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 1 << 2  # without it, older kernels slow the process down against side channels
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x00050000, 0x7FFF0000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; an argument has eight bytes


def filter_system_calls(also: Collection[str] = ALSO) -> None:
    """Refuse the calls to this process and to those that it starts, those of `ALSO` where they are named.

    Raises `OSError` where that is impossible.
    """
    if os.uname().machine not in CALLS["machines"]:
        raise OSError(errno.ENOSYS, f"no table of system calls for {os.uname().machine}")
    column, architecture, seccomp = CALLS["machines"][os.uname().machine]
    code = b"".join(INSTRUCTION.pack(*each) for each in instructions(column, architecture, also))
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(code) // INSTRUCTION.size, ctypes.addressof(buffer))  # struct sock_fprog
    linux.system("syscall", seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, program)


def instructions(column: int, architecture: int, also: Collection[str] = ALSO) -> list[tuple[int, int, int, int]]:
    """Return the filter's instructions; one that does not match skips the return behind it."""
    code = [(LOAD, 0, 0, ARCHITECTURE), (JUMP_EQUAL, 1, 0, architecture), refuse(errno.ENOSYS)]
    code += [(LOAD, 0, 0, NUMBER), (JUMP_AT_LEAST, 0, 1, X32), refuse(errno.ENOSYS)]
    for table, error in {"refused": errno.EPERM, "missing": errno.ENOSYS, "hides_files": errno.EPERM}.items():
        for number in numbers(CALLS[table], column) if table not in ALSO or table in also else ():
            code += [(JUMP_EQUAL, 0, 1, number), refuse(error)]
    allow, again = (RETURN, 0, 0, SECCOMP_RET_ALLOW), (LOAD, 0, 0, NUMBER)
    for entry in CALLS["masked"]:
        most = len(entry["masks"]) + 1  # tests to skip
        tests = [(JUMP_ANY_BIT, 0, most - place, mask) for place, mask in enumerate(entry["masks"])]
        tests.append((JUMP_ANY_BIT, 1, 0, entry.get("without", 0)))
        body = [(LOAD, 0, 0, ARGUMENTS + 8 * entry["argument"]), *tests, refuse(errno.EPERM), again]
        for number in numbers(entry["calls"], column) if entry.get("only") in (None, *also) else ():
            code += [(JUMP_EQUAL, 0, len(body), number), *body]
    for name, calls in CALLS["sockets"].items():
        found = FAMILIES[name == "socket" and "reaches_sockets" in also :]
        families = [each for family in found for each in ((JUMP_EQUAL, 0, 1, int(family)), allow)]
        families = [(LOAD, 0, 0, ARGUMENTS), *families, refuse(errno.EAFNOSUPPORT)]
        code += [(JUMP_EQUAL, 0, len(families), calls[column]), *families]
    return [*code, allow]


def refuse(error: int) -> tuple[int, int, int, int]:
    return RETURN, 0, 0, SECCOMP_RET_ERRNO | error


def numbers(calls: dict[str, list[int]], column: int) -> list[int]:
    """Return the numbers in a column of a table, as far as the machine has such calls."""
    return [each[column] for each in calls.values() if each[column] >= 0]
