"""What a process that reads a stranger's file may still do: compute, and answer.

`enter` gives rights up for good. On Linux the kernel then refuses every system call but those
for memory and for descriptors that are open already: no path can be opened, no program
started, no connection made (seccomp, for x86-64 and arm64). Limits of memory and processor time
hold on every Unix, though macOS does not enforce the one on memory.
"""

from __future__ import annotations

import ctypes
import platform
import resource
import struct
import sys
from pathlib import Path

# Linux numbers, from asm/unistd.h: read, pread64, preadv, write, lseek, fstat, close, dup,
# fcntl, mmap, mprotect, munmap, mremap, brk, madvise, futex, sendto, recvfrom, getrandom,
# clock_gettime, gettimeofday, getrusage, getpid, gettid, sched_yield, rt_sigaction,
# rt_sigprocmask, rt_sigreturn, sigaltstack, restart_syscall, exit, exit_group.
# fmt: off
CALLS = {
    "x86_64": (0xC000003E, (
        0, 17, 295, 1, 8, 5, 3, 32, 72, 9, 10, 11, 25, 12, 28, 202, 44, 45, 318,
        228, 96, 98, 39, 186, 24, 13, 14, 15, 131, 219, 60, 231,
    )),
    "aarch64": (0xC00000B7, (
        63, 67, 69, 64, 62, 80, 57, 23, 25, 222, 226, 215, 216, 214, 233, 98, 206, 207, 278,
        113, 169, 165, 172, 178, 124, 134, 135, 139, 132, 128, 93, 94,
    )),
}
# fmt: on
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # instructions of BPF
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000  # REFUSE: the call fails with EPERM


def enter(memory: int, seconds: int) -> bool:
    """Give up what reading does not need.

    Parameters
    ----------
    memory
        Bytes that may be taken beyond what is in use now.
    seconds
        Of processor time.

    Returns
    -------
    Whether the kernel refuses system calls from now on; False on systems other than Linux.
    """
    statm = Path("/proc/self/statm")
    in_use = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0
    limits = [
        (resource.RLIMIT_AS, in_use + memory),
        (resource.RLIMIT_DATA, in_use + memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ]
    for which, most in limits:
        try:
            resource.setrlimit(which, (most, most))
        except (OSError, ValueError):  # a system that has this limit in name only
            continue
    return sys.platform == "linux" and _filter_calls()


def _filter_calls() -> bool:
    if platform.machine() not in CALLS:
        return False
    architecture, calls = CALLS[platform.machine()]

    def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("<HBBI", code, yes, no, value)

    # Offsets 4 and 0 of struct seccomp_data: architecture and number of the call.
    program = step(LOAD, 4) + step(EQUAL, architecture, 1) + step(RETURN, KILL) + step(LOAD, 0)
    for place, call in enumerate(calls):
        program += step(EQUAL, call, len(calls) - place)
    program += step(RETURN, REFUSE) + step(RETURN, ALLOW)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    filtered: bool = (
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        and prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(header), 0, 0) == 0
    )
    return filtered
