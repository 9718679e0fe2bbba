"""A FastAPI app as its author would write it: it knows nothing of Brigade."""

import asyncio
import os

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/")
def where():
    return PlainTextResponse(f"pid {os.getpid()}\n")


@app.get("/slow")
async def slow(ms: int):
    await asyncio.sleep(ms / 1000)
    return PlainTextResponse(f"pid {os.getpid()}\n")
