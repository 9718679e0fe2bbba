#!/usr/bin/env python3
"""Holds a server against the cases of http1.txt.

http1.py HOST:PORT [--exact]  prints a line for each case that fails, then how many passed. With
--exact a refusal must be 400; without, any status from 400 on, or an end without an answer, will do.
The server must answer 200 to `/`, `/headers` and `/echo`, and read bodies before it answers.
"""

import concurrent.futures
import pathlib
import re
import socket
import sys

CASES = pathlib.Path(__file__).with_name("http1.txt")
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
WAIT = 10.0
QUIET = 0.3


def cases():
    """Yields (section, expected, name, bytes)."""
    for line in CASES.read_text("ascii").splitlines():
        if line and not line.startswith("#"):
            section, expected, name, text = re.split(r"\s+", line, maxsplit=3)
            text = text.replace("~", "host: x\\r\\n").replace("$", "\\r\\n")
            yield section, expected, name, text.encode().decode("unicode_escape").encode("latin-1")


class Answers:
    """Reads answers from a socket, one after the other."""

    def __init__(self, sock, is_head):
        self.sock, self.is_head, self.inbox = sock, is_head, b""

    def more(self):
        """Reads on; False at the end."""
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            return False
        self.inbox += data
        return bool(data)

    def take(self, count):
        while len(self.inbox) < count:
            if not self.more():
                raise EOFError
        data, self.inbox = self.inbox[:count], self.inbox[count:]
        return data

    def line(self):
        while b"\r\n" not in self.inbox:
            if not self.more():
                raise EOFError
        line, self.inbox = self.inbox.split(b"\r\n", 1)
        return line

    def next(self):
        """The status of the next final answer; None at the end."""
        while True:
            if not self.inbox and not self.more():
                return None
            status = int(self.line().split(b" ")[1])
            fields = {}
            while line := self.line():
                name, value = line.split(b":", 1)
                fields[name.lower()] = value.strip().lower()
            if status >= 200:
                break
        if self.is_head or status in (204, 304):
            return status
        if fields.get(b"transfer-encoding") == b"chunked":
            while size := int(self.line().split(b";")[0], 16):
                self.take(size + 2)
            while self.line():
                pass
        elif b"content-length" in fields:
            self.take(int(fields[b"content-length"]))
        else:
            while self.more():
                pass
            self.inbox = b""
        return status


def statuses(address, data, is_head, at_most):
    """The statuses of all answers, and whether the connection has ended."""
    found = []
    with socket.create_connection(address, timeout=WAIT) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = Answers(sock, is_head)
        try:
            sock.sendall(data)
        except OSError:
            pass
        try:
            while True:
                status = answers.next()
                if status is None:
                    return found, True
                found.append(status)
                if len(found) >= at_most:
                    sock.settimeout(QUIET)
        except TimeoutError:
            return found, False
        except (EOFError, ConnectionError, ValueError, IndexError):
            return found, True


def judge(address, case, exact):
    """What is wrong; None if nothing is."""
    _, expected, _, data = case
    is_head = data.startswith(b"HEAD ")
    if expected != "refuse":
        wanted = [int(word) for word in expected.split(",") if word != "close"]
        found, ended = statuses(address, data, is_head, len(wanted))
        if found != wanted:
            return f"answers {found}"
        return "stays open" if expected.endswith("close") and not ended else None
    found, ended = statuses(address, data + SMUGGLED, is_head, 10)
    if any(status < 400 for status in found):
        return f"answers {found}"
    if not ended:
        return f"answers {found} and stays open"
    if len(found) > 1:
        return f"answers {found}"
    if exact and found != [400]:
        return f"answers {found}, not 400"
    return None


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    exact = "--exact" in sys.argv
    table = list(cases())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda case: judge((host, int(port)), case, exact), table))
    failed = 0
    for (section, expected, name, _), verdict in zip(table, verdicts):
        if verdict:
            failed += 1
            print(f"{section}\t{name}\t{expected}\t{verdict}")
    print(f"{len(table) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
