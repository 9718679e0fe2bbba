"""A plain HTTP server on the sockets that it inherits, for the tests of `brigade exec`.

One request per connection, one after the other. On TERM it finishes the one that it is at and
leaves with code 0; what still waits in the kernel's queue is for others.
"""

import argparse
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time

arguments = argparse.ArgumentParser()
arguments.add_argument("--notify-after", metavar="FILE")
arguments.add_argument("--ignore-term", action="store_true")
arguments.add_argument("--watchdog", action="store_true")
arguments.add_argument("--flood", type=int, default=0, metavar="LINES")
arguments = arguments.parse_args()

stopping = False


def notify(words):
    name = os.environ["NOTIFY_SOCKET"]
    name = "\0" + name[1:] if name.startswith("@") else name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.sendto(words.encode(), name)


def stop(*_):
    global stopping
    stopping = not arguments.ignore_term


def inherited():
    assert int(os.environ["LISTEN_PID"]) == os.getpid(), "the sockets are for somebody else"
    count = int(os.environ["LISTEN_FDS"])
    return [socket.socket(fileno=3 + number) for number in range(count)]


def place():
    return f"slot {os.environ['BRIGADE_SLOT']} pid {os.getpid()} " \
        f"generation {os.environ['BRIGADE_GENERATION']}\n"


def answer(path):
    path, _, query = path.partition("?")
    value = query.partition("=")[2]
    if path == "/env":
        return json.dumps(dict(os.environ))
    if path == "/slow":
        time.sleep(int(value) / 1000)
    elif path == "/exit":
        os._exit(int(value))
    elif path == "/say":
        print(value, flush=True)
    elif path == "/notify":
        notify(value.replace("%0A", "\n"))
    return place()


def serve(connection):
    with connection:
        request = b""
        while b"\r\n\r\n" not in request:
            more = connection.recv(65536)
            if not more:
                return
            request += more
        body = answer(request.split(b" ")[1].decode()).encode()
        head = f"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)


def flood():
    for number in range(arguments.flood):
        print(f"line {number} of a flood of words that nobody asked for", flush=True)
    open(f"flooded-{os.getpid()}", "w").close()


def main():
    # The handler only has to be there: it makes Python write to the descriptor below.
    signal.signal(signal.SIGTERM, stop)
    waker, wakened = socket.socketpair()
    for one in (waker, wakened):
        one.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    if arguments.notify_after:
        while not os.path.exists(arguments.notify_after):
            time.sleep(0.01)
        notify("READY=1\nSTATUS=at your service")
    threading.Thread(target=flood, daemon=True).start()
    selector = selectors.DefaultSelector()
    selector.register(wakened, selectors.EVENT_READ)
    for one in inherited():
        one.setblocking(False)
        selector.register(one, selectors.EVENT_READ)
    beat = int(os.environ["WATCHDOG_USEC"]) / 4e6 if arguments.watchdog else None
    while not stopping:
        if beat:
            notify("WATCHDOG=1")
        for key, _ in selector.select(beat):
            if key.fileobj is wakened:
                wakened.recv(100)
                continue
            try:
                connection, _ = key.fileobj.accept()
            except BlockingIOError:
                continue
            connection.setblocking(True)
            try:
                serve(connection)
            except ConnectionError:
                pass
    print("drained", file=sys.stderr, flush=True)


main()
