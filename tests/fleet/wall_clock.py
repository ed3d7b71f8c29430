"""Giving one running process a wrong wall clock."""

from __future__ import annotations

import os
import signal
import struct
from pathlib import Path

CLOCK_FUNCTION = b"__vdso_clock_gettime"
DYNAMIC_SYMBOLS = 11
"""The type of the section that lists a library's symbols (SHT_DYNSYM)."""


def _vdso_of(process: str) -> tuple[int, int]:
    for line in Path(f"/proc/{process}/maps").read_text().splitlines():
        if line.endswith("[vdso]"):
            low, high = line.split()[0].split("-")
            return int(low, 16), int(high, 16)
    raise RuntimeError("that process has no vDSO")


def _clock_offset(elf: bytes) -> int:
    """Where in the vDSO the function lies that tells the time."""
    (sections,) = struct.unpack_from("<Q", elf, 0x28)
    entry, count, _ = struct.unpack_from("<HHH", elf, 0x3A)
    headers = [struct.unpack_from("<IIQQQQIIQQ", elf, sections + i * entry) for i in range(count)]
    symbols = next(header for header in headers if header[1] == DYNAMIC_SYMBOLS)
    names = headers[symbols[6]][4]
    for offset in range(symbols[4], symbols[4] + symbols[5], 24):
        name, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", elf, offset)
        start = names + name
        if elf[start : elf.index(b"\0", start)] == CLOCK_FUNCTION:
            return int(value)
    raise RuntimeError("no clock function in the vDSO")


def _shifted(seconds: int) -> bytes:
    return (
        b"\xb8\xe4\x00\x00\x00"  # mov eax, 228 (clock_gettime)
        b"\x0f\x05"  # syscall
        b"\x85\xff"  # test edi, edi (CLOCK_REALTIME is 0)
        b"\x75\x07"  # jne +7
        b"\x48\x81\x06" + struct.pack("<i", seconds) + b"\xc3"  # add qword [rsi], seconds; ret
    )


def set_clock(process: int, seconds: int | None) -> None:
    """Let a process's wall clock be off by so many seconds; None sets it right. Raises RuntimeError off x86-64.

    Go asks the vDSO for the time, so that neither LD_PRELOAD nor time namespaces (which leave CLOCK_REALTIME alone)
    reach dockerd. But the page of the vDSO is copied on write for each process: its function is overwritten through
    /proc/PID/mem. Monotonic clocks stay right, and a restart of the process undoes it.
    """
    if os.uname().machine != "x86_64":
        raise RuntimeError("a skewed clock needs x86-64")
    base, end = _vdso_of(str(process))
    with Path(f"/proc/{process}/mem").open("r+b", buffering=0) as memory:
        memory.seek(base)
        offset = _clock_offset(memory.read(end - base))
        code = _shifted(seconds or 0)
        if seconds is None:  # the vDSO is the same in every process: ours has the right bytes
            with Path("/proc/self/mem").open("rb", buffering=0) as own:
                own.seek(_vdso_of("self")[0] + offset)
                code = own.read(len(code))
        os.kill(process, signal.SIGSTOP)
        try:
            memory.seek(base + offset)
            memory.write(code)
        finally:
            os.kill(process, signal.SIGCONT)
