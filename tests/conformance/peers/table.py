#!/usr/bin/env python3
"""table.py DIRECTORY [--write]: makes tables of what http1.py and http2.py printed into DIRECTORY/http1.NAME and so on.

How many cases of each group were not refused, or answered otherwise than the case says. With --write, failures.md beside this
file names them.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
PEERS = {"http1": ["Brigade", "nginx", "axum", "actix", "uvicorn", "node"], "http2": ["Brigade", "nginx", "axum", "actix", "node"]}
FILES = {"http1": ("HTTP/1", "http1.txt", r"\S+\s+\S+\s+(\S+)\s"), "http2": ("HTTP/2", "http2.py", r'case\("[^"]+", "([^"]+)"')}


def groups(file, pattern):
    """The names of the cases, under the comments that stand above them."""
    found, group = {}, None
    for line in (HERE.parent / file).read_text().splitlines():
        if line.startswith("# "):
            group = line[2:].split(":")[0]
        elif (match := re.match(pattern, line)) and group and not line.startswith("def"):
            found.setdefault(group, []).append(match[1])
    return found


def failures(path):
    """The names of the cases that failed; the last line is the sum, without which the run is worth nothing."""
    *lines, last = path.read_text().splitlines()
    assert re.fullmatch(r"\d+ passed, \d+ failed", last), f"{path}: {last}"
    return [line.split("\t")[1] for line in lines]


def main():
    work, words = pathlib.Path(sys.argv[1]), ["# What others do with the cases", "", "Made by `tests/conformance/peers/run.sh --write`."]
    for kind, (title, file, pattern) in FILES.items():
        table, peers = groups(file, pattern), PEERS[kind]
        failed = {peer: failures(work / f"{kind}.{peer}") for peer in peers}
        known = sum(table.values(), [])
        for peer in peers:
            assert set(failed[peer]) <= set(known), set(failed[peer]) - set(known)
        print(f"| {title} | cases | {' | '.join(peers)} |\n| --- |{' --- |' * (len(peers) + 1)}")
        for group, names in {**table, "all": known}.items():
            counts = [sum(name in failed[peer] for name in names) for peer in peers]
            print(f"| {group} | {len(names)} | {' | '.join(map(str, counts))} |")
        print()
        for peer in peers:
            words += ["", f"## {title}: {peer}, {len(failed[peer])} of {len(known)}", ""]
            for group, names in table.items():
                if those := [name for name in names if name in failed[peer]]:
                    words.append(f"- {group} ({len(those)}): {', '.join(those)}")
            words += [] if failed[peer] else ["None."]
    if "--write" in sys.argv:
        (HERE / "failures.md").write_text("\n".join(words) + "\n")


if __name__ == "__main__":
    main()
