"""A filter of system calls: it refuses those that a homework needs none of, and that would lead around the sandbox.

libseccomp's Python binding was weighed: it needs a system library that not every machine has.
"""

import ctypes
import errno
import os
import socket
import struct

from . import linux

# Numbers on x86_64 (arch/x86/entry/syscalls/syscall_64.tbl) and on aarch64 (asm-generic/unistd.h); -1 where there is
# none. Refused whatever the arguments are: other processes' memory, kernel keyrings, tracing, mounts, io_uring,
# namespaces, memory that no limit on files counts, System V's and POSIX's shared memory and queues, file handles.
REFUSED = """
ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, kcmp 312 272, pidfd_getfd 438 438,
add_key 248 217, request_key 249 218, keyctl 250 219,
bpf 321 280, perf_event_open 298 241, userfaultfd 323 282, syslog 103 116, fanotify_init 300 262,
mount 165 40, umount2 166 39, pivot_root 155 41, open_tree 428 428, move_mount 429 429, fsopen 430 430,
fsconfig 431 431, fsmount 432 432, fspick 433 433, mount_setattr 442 442,
io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427, unshare 272 97, setns 308 268,
memfd_create 319 279, memfd_secret 447 447, shmget 29 194, semget 64 190, msgget 68 186, mq_open 240 180,
name_to_handle_at 303 264, open_by_handle_at 304 265
"""
# What could hide an open, deleted file in a message to oneself, where the files are counted by looking for them.
HIDES_FILES = "sendmsg 46 211, sendmmsg 307 269"
# Told apart by a structure that a filter cannot read: said not to exist, so that the C library takes the older call.
MISSING = "clone3 435 435, openat2 437 437"
# Refused where the argument of that index has one of these bits: new namespaces, and the set-id bits of a file's mode.
NEW_NAMESPACES, SET_ID = 0x7E020000, 0o6000  # CLONE_NEW* of linux/sched.h; S_ISUID and S_ISGID
MASKED = [
    ("clone 56 220", 0, NEW_NAMESPACES),
    ("chmod 90 -1, creat 85 -1", 1, SET_ID),
    ("fchmod 91 52, mkdir 83 -1, mknod 133 -1", 1, SET_ID),
    ("open 2 -1, fchmodat 268 53, fchmodat2 452 452, mkdirat 258 34, mknodat 259 33", 2, SET_ID),
    ("openat 257 56", 3, SET_ID),
]
SOCKETS = "socket 41 198, socketpair 53 199"
FAMILIES = [socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK]  # the last lists the addresses

# By machine: the column in the tables above, AUDIT_ARCH_* of linux/audit.h, and the number of seccomp itself
MACHINES = {"x86_64": (1, 0xC000003E, 317), "aarch64": (2, 0xC00000B7, 277)}
X32 = 0x40000000  # __X32_SYSCALL_BIT of asm/unistd.h: x86_64's second table of calls

# linux/bpf_common.h and linux/filter.h
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
INSTRUCTION = struct.Struct("=HBBI")  # struct sock_filter: code, jump if true, jump if false, operand
# linux/seccomp.h
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 1 << 2  # without it, older kernels slow the process down against side channels
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x00050000, 0x7FFF0000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; an argument has eight bytes


def filter_system_calls(more: str = "") -> None:
    """Refuse the calls above, and `more`, to this process and to those that it starts.

    Raises `OSError` where that is impossible.
    """
    if os.uname().machine not in MACHINES:
        raise OSError(errno.ENOSYS, f"no table of system calls for {os.uname().machine}")
    column, architecture, seccomp = MACHINES[os.uname().machine]
    code = b"".join(INSTRUCTION.pack(*each) for each in instructions(column, architecture, more))
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(code) // INSTRUCTION.size, ctypes.addressof(buffer))  # struct sock_fprog
    linux.system("syscall", seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, program)


def instructions(column: int, architecture: int, more: str = "") -> list[tuple[int, int, int, int]]:
    """Return the filter's instructions; one that does not match skips the return behind it."""
    code = [(LOAD, 0, 0, ARCHITECTURE), (JUMP_EQUAL, 1, 0, architecture), refuse(errno.ENOSYS)]
    code += [(LOAD, 0, 0, NUMBER), (JUMP_AT_LEAST, 0, 1, X32), refuse(errno.ENOSYS)]
    for table, error in [(REFUSED, errno.EPERM), (MISSING, errno.ENOSYS), (more, errno.EPERM)]:
        for number in numbers(table, column):
            code += [(JUMP_EQUAL, 0, 1, number), refuse(error)]
    allow = (RETURN, 0, 0, SECCOMP_RET_ALLOW)
    for table, argument, mask in MASKED:
        for number in numbers(table, column):
            load = (LOAD, 0, 0, ARGUMENTS + 8 * argument)
            code += [(JUMP_EQUAL, 0, 4, number), load, (JUMP_ANY_BIT, 0, 1, mask), refuse(errno.EPERM), allow]
    families = [each for family in FAMILIES for each in ((JUMP_EQUAL, 0, 1, int(family)), allow)]
    families = [(LOAD, 0, 0, ARGUMENTS), *families, refuse(errno.EAFNOSUPPORT)]
    for number in numbers(SOCKETS, column):
        code += [(JUMP_EQUAL, 0, len(families), number), *families]
    return [*code, allow]


def refuse(error: int) -> tuple[int, int, int, int]:
    return RETURN, 0, 0, SECCOMP_RET_ERRNO | error


def numbers(table: str, column: int) -> list[int]:
    """Return the numbers in a column of a table, as far as the machine has such calls."""
    found = [int(entry.split()[column]) for entry in table.split(",") if entry]
    return [number for number in found if number >= 0]
