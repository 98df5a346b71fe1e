# python3 system-calls.py <call>,<call>,... <program> <argument>...
# Runs the program in its place, with these system calls and no others (EPERM), and sockets of three families alone:
# what systemd does for SystemCallFilter= and RestrictAddressFamilies=, by the library that it does it with.
import ctypes
import errno
import os
import socket
import sys

ERRNO = 0x00050000
ALLOW = 0x7FFF0000
EQUAL = 4


class Argument(ctypes.Structure):
    _fields_ = [
        ("number", ctypes.c_uint),
        ("comparison", ctypes.c_int),
        ("value", ctypes.c_uint64),
        ("mask", ctypes.c_uint64),
    ]


library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
library.seccomp_init.argtypes = [ctypes.c_uint32]
library.seccomp_rule_add_array.argtypes = [
    ctypes.c_void_p,
    ctypes.c_uint32,
    ctypes.c_int,
    ctypes.c_uint,
    ctypes.POINTER(Argument),
]
library.seccomp_load.argtypes = [ctypes.c_void_p]


def must(result):
    if result < 0:
        raise OSError(-result, os.strerror(-result))


def rule(action, call, *arguments):
    number = library.seccomp_syscall_resolve_name(call.encode())
    # Another machine's, or newer than the library.
    if number >= 0:
        must(library.seccomp_rule_add_array(
            context, action, number, len(arguments), (Argument * len(arguments))(*arguments)))


context = library.seccomp_init(ERRNO | errno.EPERM)
for name in sys.argv[1].split(","):
    if name != "socket":
        rule(ALLOW, name)
for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6):
    rule(ALLOW, "socket", Argument(0, EQUAL, family, 0))
must(library.seccomp_load(context))
os.execvp(sys.argv[2], sys.argv[2:])
