"""The benchmarks' app for Python servers: /blocking?ms=N blocks the event loop."""

import os
import time

BODY = "Hello from pid {}\n"


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    query = scope["query_string"].decode()
    if scope["path"] == "/blocking" and query.startswith("ms="):
        time.sleep(int(query[3:]) / 1000)
    body = BODY.format(os.getpid()).encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
