"""Attempts at one part without Spark, as several workers make them. Prints what each of them found, as JSON.

usage: part_attempts.py SCRIPTS OUT BYTEIFY...
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from prepare_parts import PartError, Target, agree_on_plan, prepare_part  # noqa: E402

out, byteify = Path(sys.argv[2]), sys.argv[3:]
target = Target(out, out / ".attempts", 2, [*byteify, "prepare", "-", "--shard-bytes", "4096"])
texts = [f"text {i} ".encode() * 20 for i in range(100)]
# Part 1 has a near duplicate (a key without a text before it), three copies of one text, and what is no text.
pairs = [(b"%03d" % i, text) for i, text in enumerate(texts)]
pairs += [(b"a", None), (b"a", b"like another"), *[(b"b", b"thrice")] * 3, (b"c", b""), (b"c", b""), (b"d", b"\xff")]
END = (True, b"", None)
rows = [*((False, *pair) for pair in pairs), END, END]


def attempt(given, options=()):
    """The counts of an attempt, or why it failed."""
    try:
        return next(prepare_part(1, given, target._replace(command=[*target.command, *options])))
    except (PartError, EOFError) as error:
        return str(error)


def lost():
    """The rows of a worker that is lost on the way."""
    yield from rows[:50]
    raise EOFError("the worker is lost")


def contents():
    """All files of the folder."""
    return {str(path.relative_to(out)): path.read_bytes().hex() for path in out.rglob("*") if path.is_file()}


agree_on_plan(target)
found = {
    "lost": attempt(lost()),
    "broken off": [attempt(rows[:50]), attempt([])],
    "refused": attempt(rows, ["--no-such-option"]),
    "differs": attempt(rows, ["--shard-bytes", "8192"]),
    "left": sorted(path.name for path in out.iterdir()),
}
with ThreadPoolExecutor() as pool:
    found["together"] = list(pool.map(attempt, [rows, rows, rows]))
before = contents()
found["again"] = attempt(rows, ["--no-such-option"])
found["other"] = attempt(rows[1:])
found["unchanged"] = contents() == before
found["parts"] = sorted({path.split("/")[0] for path in before if path[0] != "."})
next(prepare_part(0, [END], target))
print(json.dumps(found))
