#!/usr/bin/env python3
"""keep.py PROGRAM TARGET GROWN: keeps in corpus/TARGET, of what libFuzzer found in GROWN, the few inputs that reach most.

What was put there by hand, under a name, stays. The first of the others reaches most that these don't, and so on; of two alike the
shorter. What else libFuzzer once found, and would not be chosen any more, goes.
"""

import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

AT_MOST = 70
LONGEST = 1024


def reached(program, target, folders):
    """What each input reaches, as libFuzzer tells it while it merges: a list of (path, features)."""
    with tempfile.TemporaryDirectory() as work:
        control, merged = pathlib.Path(work, "control"), pathlib.Path(work, "merged")
        merged.mkdir()
        options = ["-merge=1", "-use_counters=0", f"-max_len={LONGEST}", f"-merge_control_file={control}"]
        environment = {**os.environ, "BRIGADE_FUZZ_TARGET": target}
        subprocess.run([program, *options, merged, *folders], env=environment, stderr=subprocess.DEVNULL, check=True)
        count, _, *lines = control.read_text().splitlines()
    paths, lines = lines[: int(count)], lines[int(count) :]
    words = [line.split() for line in lines if line.startswith("FT ")]
    return [(pathlib.Path(paths[int(number)]), set(features)) for _, number, *features in words]


def main():
    program, target, grown = sys.argv[1:]
    corpus = pathlib.Path(__file__).parent / "corpus" / target
    inputs = [(path, features) for path, features in reached(program, target, [corpus, grown]) if path.stat().st_size <= LONGEST]
    found = {path for path in corpus.iterdir() if re.fullmatch("[0-9a-f]{16}", path.name)}
    named = [features for path, features in inputs if path.parent.samefile(corpus) and path not in found]
    known, kept = set().union(*named), {}
    while len(kept) < AT_MOST:
        path, features = max(inputs, key=lambda one: (len(one[1] - known), -one[0].stat().st_size))
        if not features - known:
            break
        known |= features
        text = path.read_bytes()
        kept[hashlib.sha256(text).hexdigest()[:16]] = text
    for path in found:
        path.unlink()
    for name, text in kept.items():
        (corpus / name).write_bytes(text)
    print(f"{target}: {len(kept)} inputs are kept beside {len(named)} with names; {len(found)} were")


if __name__ == "__main__":
    main()
