"""Plays the part of a service manager's exec: takes descriptors from the socket on standard input
(their names come with them), places them from 3 on, announces them and becomes the command."""

import fcntl
import os
import socket
import sys

line = socket.socket(fileno=0)
names, descriptors, _, _ = socket.recv_fds(line, 65536, 250)
line.detach()
first = 3
above = [fcntl.fcntl(one, fcntl.F_DUPFD, first + len(descriptors)) for one in descriptors]
os.closerange(first, min(above, default=first))
for number, one in enumerate(above, first):
    os.dup2(one, number, inheritable=True)
os.closerange(first + len(descriptors), 1024)
null = os.open("/dev/null", os.O_RDWR)
os.dup2(null, 0)
os.close(null)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = str(len(descriptors))
os.environ["LISTEN_FDNAMES"] = names.decode()
os.execvp(sys.argv[1], sys.argv[1:])
