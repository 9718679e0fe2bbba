#!/usr/bin/env python3
"""Holds a server that speaks HTTP/2 with prior knowledge against cases of RFC 9113 and RFC 7541.

http2.py HOST:PORT [--exact]  prints a line for each case that fails, then how many passed. Frames
are made by hand, so that they can be wrong; answers are decoded by hpack. After whatever a case has
sent, the server has to do one of what the case names:

ok        answer 200 (with END_STREAM)
stream X  RST_STREAM with the code X, an answer of 400, or what `conn` allows
conn X    GOAWAY with the code X and the end, or the end alone
open      neither answer, nor reset, nor GOAWAY, but an acknowledged PING
--exact: GOAWAY must be sent, and the code must be one of those named, or PROTOCOL_ERROR, which h2 uses
for more specific ones. Without, GOAWAY with any error is enough, whoever closes then.
"""

import concurrent.futures
import socket
import struct
import sys

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIO = 1, 1, 4, 8, 32
NO_ERROR, PROTOCOL, INTERNAL, FLOW, TIMEOUT, CLOSED, SIZE, REFUSED = range(8)
COMPRESSION, CALM = 9, 11
WAIT = 8.0
MARK = b"conforms"


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value, index=0x00):
    """A field that is not indexed, not Huffman coded, shorter than 127."""
    name, value = (text.encode("latin-1") if isinstance(text, str) else text for text in (name, value))
    assert len(name) < 127
    size = bytes([len(value)]) if len(value) < 127 else integer(len(value), 7, 0)
    return bytes([index, len(name)]) + name + size + value


def integer(value, bits, first):
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out + [value])


METHOD, SCHEME, PATH = (":method", "GET"), (":scheme", "http"), (":path", "/")
AUTHORITY = (":authority", "x")
GET = [METHOD, SCHEME, PATH, AUTHORITY]
POST = [(":method", "POST"), SCHEME, (":path", "/echo"), AUTHORITY]


def block(*fields):
    return b"".join(literal(*field) for field in fields)


def headers(fields, stream=1, flags=END_HEADERS | END_STREAM):
    return frame(HEADERS, flags, stream, fields if isinstance(fields, bytes) else block(*fields))


def request(*more, base=GET, stream=1):
    return headers(base + list(more), stream)


def post(*more, stream=1):
    return headers(POST + list(more), stream, END_HEADERS)


def settings(*pairs, flags=0, stream=0):
    return frame(SETTINGS, flags, stream, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def data(payload, stream=1, flags=END_STREAM):
    return frame(DATA, flags, stream, payload)


def window(increment, stream=0):
    return frame(WINDOW, 0, stream, struct.pack(">I", increment))


def padded(kind, flags, stream, payload, pad, claimed=None):
    claimed = pad if claimed is None else claimed
    return frame(kind, flags | PADDED, stream, bytes([claimed]) + payload + bytes(pad))


def prio(on, weight=15):
    return struct.pack(">IB", on, weight)


OPEN_GET = headers(GET, 1, END_HEADERS)  # More may follow.
CASES = []


def case(section, name, wanted, *sent, raw=False):
    CASES.append((section, name, wanted, b"".join(sent), raw))


def stream(*codes):
    return ("stream", codes)


def conn(*codes):
    return ("conn", codes)


# The preface
case("9113-3.4", "preface-and-request", ("ok",), request())
case("9113-3.4", "first-frame-not-settings", conn(PROTOCOL), PREFACE, frame(PING, 0, 0, bytes(8)), raw=True)
case("9113-3.4", "first-frame-is-headers", conn(PROTOCOL), PREFACE, request(), raw=True)
case("9113-3.4", "settings-acknowledged-first", conn(PROTOCOL), PREFACE, settings(flags=ACK), raw=True)

# Frames
case("9113-4.1", "unknown-frame-is-ignored", ("ok",), frame(0x16, 0xFF, 0, b"abc"), request())
case("9113-4.1", "unknown-frame-on-a-stream-is-ignored", ("ok",), OPEN_GET, frame(0x16, 0, 1, b"abc"), data(b""))
case("9113-4.1", "undefined-flags-are-ignored", ("ok",), frame(PING, 0xFE, 0, bytes(8)), request())
case("9113-4.1", "reserved-bit-is-ignored", ("ok",), frame(PING, 0, 0x80000000, bytes(8)), request())
case("9113-4.2", "data-of-the-largest-size", ("ok",), post(), data(bytes(16384)))
case("9113-4.2", "data-too-large", stream(SIZE), post(), data(bytes(16385)))
case("9113-4.2", "headers-too-large", conn(SIZE), frame(HEADERS, 5, 1, block(*GET) + bytes(16385)))
case("9113-4.2", "settings-too-large", conn(SIZE), settings(*[(0x99, 1)] * 2800))
case("9113-4.3", "block-of-nonsense", conn(COMPRESSION), headers(b"\xff\xff\xff\xff\xff\xff\xff\xff"))
case("9113-4.3", "block-interrupted-by-data", conn(PROTOCOL), post(stream=1), headers(GET, 3, 0), data(b"a", 1))
case("9113-4.3", "block-interrupted-by-priority", conn(PROTOCOL), headers(GET, 1, 0), frame(PRIORITY, 0, 1, prio(0)))
case("9113-4.3", "block-interrupted-by-other-stream", conn(PROTOCOL), headers(GET, 1, 0), headers(GET, 3))
case("9113-4.3", "block-interrupted-by-unknown-frame", conn(PROTOCOL), headers(GET, 1, 0), frame(0x16, 0, 0, b""))
case("9113-4.3", "block-interrupted-by-ping", conn(PROTOCOL), headers(GET, 1, 0), frame(PING, 0, 0, bytes(8)))

# Streams
case("9113-5.1", "idle-data", conn(PROTOCOL), data(b"a", 1))
case("9113-5.1", "idle-reset", conn(PROTOCOL), frame(RST, 0, 1, struct.pack(">I", CALM - 3)))
case("9113-5.1", "idle-window", conn(PROTOCOL), window(1, 1))
case("9113-5.1", "idle-continuation", conn(PROTOCOL), frame(CONTINUATION, 4, 1, block(*GET)))
case("9113-5.1", "half-closed-data", stream(CLOSED), request(), data(b"a"))
case("9113-5.1", "half-closed-headers", stream(CLOSED, PROTOCOL), request(), request())
case("9113-5.1", "half-closed-continuation", conn(PROTOCOL, CLOSED), request(), frame(CONTINUATION, 4, 1, b""))
case("9113-5.1", "reset-then-data", stream(CLOSED), post(), frame(RST, 0, 1, struct.pack(">I", 8)), data(b"a"))
case("9113-5.1", "reset-then-headers", stream(CLOSED, PROTOCOL), post(), frame(RST, 0, 1, struct.pack(">I", 8)), request())
case("9113-5.1.1", "even-stream", conn(PROTOCOL), request(stream=2))
case("9113-5.1.1", "smaller-stream", conn(PROTOCOL, CLOSED), request(stream=5), request(stream=3))
case("9113-5.1.1", "streams-may-be-skipped", ("ok",), request(stream=7))
case("9113-5.1.2", "too-many-streams", stream(PROTOCOL, REFUSED), *[post(stream=2 * n + 1) for n in range(400)])
case("9113-5.3.1", "priority-of-itself-is-no-request", stream(PROTOCOL), headers(prio(1) + block(*GET), 1, 0x25))
case("9113-5.3.2", "priority-in-headers", ("ok",), headers(prio(0) + block(*GET), 1, 0x25))

# DATA
case("9113-6.1", "data-of-stream-0", conn(PROTOCOL), data(b"a", 0))
case("9113-6.1", "data-padded", ("ok",), post(), padded(DATA, END_STREAM, 1, b"abc", 5))
case("9113-6.1", "data-padding-too-long", conn(PROTOCOL), post(), padded(DATA, END_STREAM, 1, b"", 3, 9))
case("9113-6.1", "data-padding-without-length", conn(PROTOCOL, SIZE), post(), frame(DATA, PADDED | END_STREAM, 1, b""))
case("9113-6.1", "data-empty-pieces", ("ok",), post(), data(b"", flags=0), data(b"", flags=0), data(b"a"))

# HEADERS
case("9113-6.2", "headers-of-stream-0", conn(PROTOCOL), headers(GET, 0))
case("9113-6.2", "headers-padded", ("ok",), padded(HEADERS, 5, 1, block(*GET), 7))
case("9113-6.2", "headers-padding-too-long", conn(PROTOCOL), padded(HEADERS, 5, 1, block(*GET), 0, 255))
case("9113-6.2", "headers-too-short-for-priority", conn(PROTOCOL, SIZE, COMPRESSION), frame(HEADERS, 0x25, 1, b"\0\0"))

# PRIORITY
case("9113-6.3", "priority-alone", ("ok",), frame(PRIORITY, 0, 9, prio(0)), request())
case("9113-6.3", "priority-of-stream-0", conn(PROTOCOL), frame(PRIORITY, 0, 0, prio(1)))
case("9113-6.3", "priority-too-short", stream(SIZE), post(), frame(PRIORITY, 0, 1, b"\0\0\0\0"))

# RST_STREAM
case("9113-6.4", "reset-of-stream-0", conn(PROTOCOL), frame(RST, 0, 0, bytes(4)))
case("9113-6.4", "reset-too-short", conn(SIZE), post(), frame(RST, 0, 1, bytes(3)))
case("9113-6.4", "reset-too-long", conn(SIZE), post(), frame(RST, 0, 1, bytes(5)))
case("9113-6.4", "reset-leaves-the-others", ("ok",), post(), frame(RST, 0, 1, struct.pack(">I", 8)), request(stream=3))

# SETTINGS
case("9113-6.5", "settings-acknowledgement-with-payload", conn(SIZE), frame(SETTINGS, ACK, 0, bytes(6)))
case("9113-6.5", "settings-of-a-stream", conn(PROTOCOL), settings((3, 100), stream=1))
case("9113-6.5", "settings-not-of-six", conn(SIZE), frame(SETTINGS, 0, 0, bytes(5)))
case("9113-6.5", "settings-empty", ("ok",), settings(), request())
case("9113-6.5.2", "settings-push-2", conn(PROTOCOL), settings((2, 2)))
case("9113-6.5.2", "settings-window-too-large", conn(FLOW), settings((4, 1 << 31)))
case("9113-6.5.2", "settings-frame-size-too-small", conn(PROTOCOL), settings((5, 16383)))
case("9113-6.5.2", "settings-frame-size-too-large", conn(PROTOCOL), settings((5, 1 << 24)))
case("9113-6.5.2", "settings-connect-protocol-2", conn(PROTOCOL), settings((8, 2)))
case("9113-6.5.2", "settings-unknown", ("ok",), settings((0x99, 1)), request())
case("9113-6.5.2", "settings-table-of-zero", ("ok",), settings((1, 0)), request())
case("9113-6.5.3", "settings-are-acknowledged", ("ack",), settings((3, 10)))

# PUSH_PROMISE
case("9113-8.4", "push-from-a-client", conn(PROTOCOL), post(), frame(PUSH, 4, 1, struct.pack(">I", 2) + block(*GET)))

# PING
case("9113-6.7", "ping", ("open",))
case("9113-6.7", "ping-of-a-stream", conn(PROTOCOL), frame(PING, 0, 1, bytes(8)))
case("9113-6.7", "ping-too-short", conn(SIZE), frame(PING, 0, 0, bytes(6)))
case("9113-6.7", "ping-too-long", conn(SIZE), frame(PING, 0, 0, bytes(9)))
case("9113-6.7", "ping-acknowledged-unasked", ("ok",), frame(PING, ACK, 0, bytes(8)), request())

# GOAWAY
case("9113-6.8", "goaway-of-a-stream", conn(PROTOCOL), frame(GOAWAY, 0, 1, bytes(8)))

# WINDOW_UPDATE and flow control
case("9113-6.9", "window-of-zero", conn(PROTOCOL), window(0))
case("9113-6.9", "window-of-zero-of-a-stream", stream(PROTOCOL), post(), window(0, 1))
case("9113-6.9", "window-too-short", conn(SIZE), frame(WINDOW, 0, 0, bytes(3)))
case("9113-6.9.1", "window-overflow", conn(FLOW), window(0x7FFFFFFF))
case("9113-6.9.1", "window-overflow-of-a-stream", stream(FLOW), post(), window(0x7FFFFFFF, 1))
case("9113-6.9.1", "nothing-is-sent-without-window", ("no data",), settings((4, 0)), request())
case("9113-6.9.2", "settings-overflow-a-window", conn(FLOW), post(), window(0x7FFF0000, 1), settings((4, 0x7FFFFFFF)))
case("9113-6.9.1", "window-exceeded", stream(FLOW), post(), *[data(bytes(16384), flags=0)] * 400)

# CONTINUATION
case("9113-6.10", "continuation", ("ok",), headers(block(*GET)[:9], 1, END_STREAM), frame(CONTINUATION, 4, 1, block(*GET)[9:]))
case("9113-6.10", "continuations", ("ok",), headers(b"", 1, END_STREAM), *[frame(CONTINUATION, 0, 1, block(one)) for one in GET], frame(CONTINUATION, 4, 1))
case("9113-6.10", "continuation-of-stream-0", conn(PROTOCOL), headers(GET, 1, END_STREAM), frame(CONTINUATION, 4, 0))
case("9113-6.10", "continuation-after-the-end", conn(PROTOCOL), OPEN_GET, frame(CONTINUATION, 4, 1, block(("a", "b"))))
case("9113-6.10", "continuation-of-another-stream", conn(PROTOCOL), headers(GET, 1, END_STREAM), frame(CONTINUATION, 4, 3))
case("9113-6.10", "continuation-after-data", conn(PROTOCOL), post(), data(b"a", flags=0), frame(CONTINUATION, 4, 1))

# Messages
case("9113-8.1", "body-and-trailers", ("ok",), post(), data(b"a", flags=0), headers([("x-sum", "1")]))
case("9113-8.1", "trailers-do-not-end-the-stream", stream(PROTOCOL), post(), headers([("x-sum", "1")], 1, 4))
case("9113-8.1", "trailers-with-a-pseudo-field", stream(PROTOCOL), post(), headers([PATH]))
case("9113-8.1", "trailers-with-a-pseudo-field-behind", stream(PROTOCOL), post(), data(b"a", flags=0), headers([("x-sum", "1"), PATH]))
case("9113-8.1", "trailers-padded-with-a-pseudo-field", stream(PROTOCOL), post(), padded(HEADERS, 5, 1, block(PATH), 7))
case("9113-8.1", "trailers-in-pieces-with-a-pseudo-field", stream(PROTOCOL), post(), headers(b"", 1, END_STREAM), frame(CONTINUATION, 4, 1, block(PATH)))
case("9113-8.1", "trailers-padded", ("ok",), post(), padded(HEADERS, 5, 1, block(("x-sum", "1")), 7))
case("9113-8.1", "trailers-in-pieces", ("ok",), post(), headers(block(("x-sum", "1")), 1, END_STREAM), frame(CONTINUATION, 4, 1, block(("x-more", "2"))))
case("9113-8.1", "trailers-with-a-table-size", ("ok",), post(), headers(integer(0, 5, 0x20) + block(("x-sum", "1"))))
case("9113-8.1.1", "length-that-fits", ("ok",), post(("content-length", "3")), data(b"abc"))
case("9113-8.1.1", "length-too-large", stream(PROTOCOL), post(("content-length", "4")), data(b"abc"))
case("9113-8.1.1", "length-too-small", stream(PROTOCOL), post(("content-length", "2")), data(b"abc"))
case("9113-8.1.1", "length-without-body", stream(PROTOCOL), request(("content-length", "5")))
case("9113-8.1.1", "length-of-two-frames-differs", stream(PROTOCOL), post(("content-length", "1")), data(b"a", flags=0), data(b"b"))
case("smuggling", "two-lengths", stream(PROTOCOL), post(("content-length", "3"), ("content-length", "3")), data(b"abc"))
case("smuggling", "two-lengths-differ", stream(PROTOCOL), post(("content-length", "3"), ("content-length", "4")), data(b"abc"))
case("smuggling", "length-with-a-sign", stream(PROTOCOL), post(("content-length", "+3")), data(b"abc"))
case("smuggling", "length-in-a-list", stream(PROTOCOL), post(("content-length", "3, 3")), data(b"abc"))
case("smuggling", "length-of-nonsense", stream(PROTOCOL), post(("content-length", "abc")), data(b"abc"))

# Fields
case("9113-8.2.1", "name-in-capitals", stream(PROTOCOL), request(("X-Test", "ok")))
case("9113-8.2.1", "name-empty", stream(PROTOCOL), request(("", "ok")))
case("9113-8.2.1", "name-with-space", stream(PROTOCOL), request(("a b", "ok")))
case("9113-8.2.1", "name-with-colon", stream(PROTOCOL), request(("a:b", "ok")))
case("9113-8.2.1", "name-with-nul", stream(PROTOCOL), request(("a\0b", "ok")))
case("9113-8.2.1", "name-with-crlf", stream(PROTOCOL), request(("a: b\r\nc", "ok")))
case("9113-8.2.1", "value-with-nul", stream(PROTOCOL), request(("a", "b\0c")))
case("9113-8.2.1", "value-with-lf", stream(PROTOCOL), request(("a", "b\nc: d")))
case("9113-8.2.1", "value-with-cr", stream(PROTOCOL), request(("a", "b\rc")))
case("9113-8.2.1", "value-begins-with-space", stream(PROTOCOL), request(("a", " b")))
case("9113-8.2.1", "value-ends-with-tab", stream(PROTOCOL), request(("a", "b\t")))
case("9113-8.2.1", "path-with-crlf", stream(PROTOCOL), request(base=[METHOD, SCHEME, AUTHORITY, (":path", "/ HTTP/1.1\r\nhost: y")]))
case("9113-8.2.1", "method-with-crlf", stream(PROTOCOL), request(base=[(":method", "GET / HTTP/1.1\r\n\r\n"), SCHEME, PATH, AUTHORITY]))
case("9113-8.2.2", "connection", stream(PROTOCOL), request(("connection", "keep-alive")))
case("9113-8.2.2", "keep-alive", stream(PROTOCOL), request(("keep-alive", "5")))
case("9113-8.2.2", "proxy-connection", stream(PROTOCOL), request(("proxy-connection", "close")))
case("9113-8.2.2", "transfer-encoding", stream(PROTOCOL), post(("transfer-encoding", "chunked")), data(b"0\r\n\r\n"))
case("9113-8.2.2", "upgrade", stream(PROTOCOL), request(("upgrade", "h2c")))
case("9113-8.2.2", "te-trailers", ("ok",), request(("te", "trailers")))
case("9113-8.2.2", "te-anything-else", stream(PROTOCOL), request(("te", "trailers, gzip")))
case("9113-8.2.3", "cookies-in-pieces", ("ok",), request(("cookie", "a=1"), ("cookie", "b=2")))
case("9113-8.3", "pseudo-field-after-others", stream(PROTOCOL), headers([METHOD, SCHEME, ("a", "b"), PATH, AUTHORITY]))
case("9113-8.3", "pseudo-field-unknown", stream(PROTOCOL), request((":test", "ok")))
case("9113-8.3", "pseudo-field-of-answers", stream(PROTOCOL), request(base=[(":status", "200"), *GET]))
case("9113-8.3", "pseudo-field-twice", stream(PROTOCOL), request(base=[PATH, *GET]))
case("9113-8.3.1", "no-method", stream(PROTOCOL), request(base=[SCHEME, PATH, AUTHORITY]))
case("9113-8.3.1", "two-methods", stream(PROTOCOL), request(base=[METHOD, *GET]))
case("9113-8.3.1", "no-scheme", stream(PROTOCOL), request(base=[METHOD, PATH, AUTHORITY]))
case("9113-8.3.1", "two-schemes", stream(PROTOCOL), request(base=[SCHEME, *GET]))
case("9113-8.3.1", "no-path", stream(PROTOCOL), request(base=[METHOD, SCHEME, AUTHORITY]))
case("9113-8.3.1", "path-empty", stream(PROTOCOL), request(base=[METHOD, SCHEME, (":path", ""), AUTHORITY]))
case("9113-8.3.1", "path-without-slash", stream(PROTOCOL), request(base=[METHOD, SCHEME, (":path", "a"), AUTHORITY]))
case("9113-8.3.1", "path-asterisk-of-get", stream(PROTOCOL), request(base=[METHOD, SCHEME, (":path", "*"), AUTHORITY]))
case("9113-8.3.1", "no-authority-and-no-host", stream(PROTOCOL), request(base=[METHOD, SCHEME, PATH]))
case("9113-8.3.1", "host-for-authority", ("ok",), request(("host", "x"), base=[METHOD, SCHEME, PATH]))
case("9113-8.3.1", "host-like-authority", ("ok",), request(("host", "x")))
case("9113-8.3.1", "host-against-authority", stream(PROTOCOL), request(("host", "y")))
case("9113-8.3.1", "two-hosts", stream(PROTOCOL), request(("host", "x"), ("host", "x")))
case("9113-8.3.1", "authority-with-user", stream(PROTOCOL), request(base=[METHOD, SCHEME, PATH, (":authority", "me@x")]))
case("9113-8.3.1", "authority-with-space", stream(PROTOCOL), request(base=[METHOD, SCHEME, PATH, (":authority", "x y")]))
case("9113-8.3.1", "authority-with-path", stream(PROTOCOL), request(base=[METHOD, SCHEME, PATH, (":authority", "x/y")]))
case("9113-8.5", "connect-with-path", stream(PROTOCOL), request(base=[(":method", "CONNECT"), SCHEME, PATH, (":authority", "x:80")]))
case("proxies", "forwarded-name-with-underscore", stream(PROTOCOL), request(("x_forwarded_for", "1.2.3.4")))
case("proxies", "length-with-underscore", stream(PROTOCOL), request(("content_length", "5")))
case("proxies", "other-name-with-underscore", ("ok",), request(("my_name", "a")))

# HPACK
case("7541-2.3.3", "index-of-zero", conn(COMPRESSION), headers(b"\x80"))
case("7541-2.3.3", "index-beyond-the-tables", conn(COMPRESSION), headers(b"\xff\x00"))
case("7541-2.3.3", "name-index-beyond-the-tables", conn(COMPRESSION), headers(integer(100, 4, 0) + b"\x01a"))
case("7541-4.2", "table-size-above-the-limit", conn(COMPRESSION), headers(integer(1 << 20, 5, 0x20) + block(*GET)))
case("7541-4.2", "table-size-after-a-field", conn(COMPRESSION), headers(block(METHOD) + integer(0, 5, 0x20) + block(SCHEME, PATH, AUTHORITY)))
case("7541-4.2", "table-size-first", ("ok",), headers(integer(0, 5, 0x20) + block(*GET)))
case("7541-5.1", "integer-overflow", conn(COMPRESSION), headers(b"\x7f" + b"\xff" * 12 + b"\x00"))
case("7541-5.2", "string-longer-than-its-block", conn(COMPRESSION), headers(b"\x00\x7f\x00a"))
case("7541-5.2", "huffman-with-eos", conn(COMPRESSION), headers(b"\x00\x84\xff\xff\xff\xff\x01a"))
case("7541-5.2", "huffman-padding-too-long", conn(COMPRESSION), headers(b"\x00\x82\x1f\xff\x01a"))
case("7541-5.2", "huffman-padding-of-zeros", conn(COMPRESSION), headers(b"\x00\x81\x18\x01a"))
case("7541-6.1", "indexed", ("ok",), headers(b"\x82\x86\x84\x41\x01x"))
case("7541-6.2", "incremental-then-used", ("ok",), headers(b"\x82\x86\x84\x41\x01x", 1), headers(b"\x82\x86\x84\xbe", 3))

# Floods: the server gives up at some point, or what it does is bounded; it must end the connection.
case("floods", "rapid-reset", conn(CALM), *[request(stream=2 * n + 1) + frame(RST, 0, 2 * n + 1, struct.pack(">I", 8)) for n in range(3000)])
case("floods", "continuations-without-end", conn(CALM, PROTOCOL, COMPRESSION, INTERNAL), headers(GET, 1, END_STREAM), *[frame(CONTINUATION, 0, 1, block(("a", "b" * 100)) * 20)] * 400)
case("floods", "empty-continuations", conn(CALM, PROTOCOL), headers(GET, 1, END_STREAM), *[frame(CONTINUATION, 0, 1)] * 20000)
case("floods", "a-list-of-fields-too-large", ("refused",), headers(block(*GET), 1, END_STREAM), *[frame(CONTINUATION, 0, 1, literal("a", "b" * 100) * 100)] * 8, frame(CONTINUATION, 4, 1))
case("floods", "bomb-of-references", ("refused",), headers(block(*GET) + literal("a", "b" * 3900, 0x40), 1, END_STREAM), frame(CONTINUATION, 4, 1, b"\xbe" * 16000))


class Peer:
    """The server's frames."""

    def __init__(self, address):
        self.sock = socket.create_connection(address, timeout=WAIT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.decoder = hpack.Decoder()

    def send(self, text):
        try:
            self.sock.sendall(text)
        except OSError:
            pass  # What it said first is to be read.

    def exactly(self, count):
        text = b""
        while len(text) < count:
            piece = self.sock.recv(count - len(text))
            if not piece:
                raise EOFError
            text += piece
        return text

    def next(self):
        head = self.exactly(9)
        length = int.from_bytes(head[:3], "big")
        kind, flags, number = head[3], head[4], int.from_bytes(head[5:], "big") & 0x7FFFFFFF
        return kind, flags, number, self.exactly(length)


def watch(address, sent, raw):
    """What the server does: a list of words."""
    peer = Peer(address)
    seen, acks = [], 0
    with peer.sock:
        begin = b"" if raw else PREFACE + settings()
        peer.send(begin + sent + frame(PING, 0, 0, MARK))
        try:
            while True:
                kind, flags, number, payload = peer.next()
                if kind == HEADERS:
                    fields = dict(peer.decoder.decode(payload))
                    seen.append(("status", int(fields.get(":status", 0)), number))
                    if flags & END_STREAM:
                        seen.append(("end", 0, number))
                elif kind == DATA:
                    seen.append(("data", len(payload), number))
                    if flags & END_STREAM:
                        seen.append(("end", 0, number))
                elif kind == RST:
                    seen.append(("reset", int.from_bytes(payload, "big"), number))
                elif kind == GOAWAY:
                    seen.append(("goaway", int.from_bytes(payload[4:8], "big"), 0))
                elif kind == SETTINGS and flags & ACK:
                    acks += 1
                    seen.append(("ack", acks, 0))
                elif kind == PING and flags & ACK and payload == MARK:
                    seen.append(("pong", 0, 0))
                    peer.sock.settimeout(0.4)  # What is to come of it comes soon.
        except TimeoutError:
            seen.append(("quiet", 0, 0))
        except (EOFError, ConnectionError):
            seen.append(("closed", 0, 0))
    return seen


def judge(address, one, exact):
    """What is wrong; None if nothing is."""
    _, _, (wanted, *codes), sent, raw = one
    codes = codes[0] if codes else ()
    seen = watch(address, sent, raw)
    words = {word for word, _, _ in seen}
    statuses = [value for word, value, _ in seen if word == "status"]
    goaways = [value for word, value, _ in seen if word == "goaway"]
    resets = [value for word, value, _ in seen if word == "reset"]
    told = " ".join(f"{word}{f'({value})' if word in ('status', 'reset', 'goaway') else ''}" for word, value, _ in seen[:6])
    is_right_code = any(code in (*codes, PROTOCOL) for code in goaways)
    is_over = "closed" in words and is_right_code if exact else "closed" in words or any(goaways)
    is_right = {
        "ok": 200 in statuses and "end" in words and not goaways,
        "open": "pong" in words and not goaways and not resets and "closed" not in words,
        "ack": ("ack", 2, 0) in seen and "closed" not in words,
        "no data": 200 in statuses and "end" not in words,
        "refused": 200 not in statuses and bool(words & {"status", "reset", "closed"}),
        "conn": is_over,
        "stream": is_over
        or any(code in codes or not exact for code in resets)
        or 400 in statuses and 200 not in statuses
        or (not exact and any(400 <= status for status in statuses)),
    }[wanted]
    return None if is_right else f"wanted {wanted} {list(codes)}, got {told}"


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    exact = "--exact" in sys.argv
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda one: judge((host, int(port)), one, exact), CASES))
    failed = 0
    for (section, name, *_), verdict in zip(CASES, verdicts):
        if verdict:
            failed += 1
            print(f"{section}\t{name}\t{verdict}")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
