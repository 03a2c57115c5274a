"""Prepares partitions of a corpus as parts of one folder, by `byteify prepare`, whatever happens to the workers.

Needs neither Spark nor any other package: an engine calls `agree_on_plan` once and `prepare_part` for each partition.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import subprocess
import tempfile
import uuid
from itertools import groupby
from pathlib import Path
from typing import IO, Iterable, Iterator, NamedTuple, Optional

PLAN = "prepare-plan.json"

# Whether the part ends here, a key, and a text or the mark that the text of this key is a near duplicate.
Row = tuple[bool, bytes, Optional[bytes]]


class PartError(Exception):
    """A part cannot be prepared."""


class Target(NamedTuple):
    """Where parts go, and how."""

    out: Path
    # Below `out`: each attempt at a part works in a folder of its own.
    attempts: Path
    parts: int
    # The command `byteify prepare` and its options.
    command: list[str]


def lines(rows: Iterable[Row], counts: dict[str, int]) -> Iterator[bytes]:
    """The documents of a part as JSON lines; counts what is left out.

    If a worker's input breaks off, PySpark lets it end as if it were complete. Only the row of the end says that it is.
    """
    is_complete = False
    for (is_end, _), same in groupby(rows, key=lambda row: (row[0], bytes(row[1]))):
        if is_end:
            is_complete = True
            break
        copies = [0, 0]
        text: bytes = b""
        for _, _, value in same:
            copies[value is not None] += 1
            text = text if value is None else bytes(value)
        marks, texts = copies
        try:
            line = json.dumps({"text": text.decode()}, ensure_ascii=False).encode() + b"\n"
        except UnicodeDecodeError:
            counts["not_utf8"] += texts
            continue
        if not text:
            counts["without_text"] += texts
            continue
        counts["exact_duplicates"] += texts - 1
        counts["near_duplicates" if marks else "documents"] += 1
        if not marks:
            yield line
    if not is_complete:
        raise PartError("the input of the part broke off")


def message_in(output: IO[bytes]) -> str:
    """byteify's own message: its last lines."""
    output.seek(0)
    return " ".join(output.read().decode(errors="replace").split("\n")[-4:]).strip()


def stdin_digest(part: Path) -> str | None:
    """The sha256 of the lines from which a part was made, as its last shard records it."""
    for shard in sorted(part.glob("shard-*/byteify-shard.json"), reverse=True):
        for read_input in json.loads(shard.read_text())["inputs"]:
            return read_input["sha256"]
    return None


def prepare_part(index: int, rows: Iterable[Row], target: Target) -> Iterator[dict[str, int]]:
    """Pipes a part into byteify, and moves the result into the folder when it is complete. Yields its counts.

    A worker that is lost leaves its attempt behind, with a lock or with text that ends early, so no other attempt
    continues it. Of several attempts the first that is complete counts; the others must have had the same lines.
    """
    counts = dict.fromkeys(("documents", "exact_duplicates", "near_duplicates", "without_text", "not_utf8"), 0)
    name = f"part-{index:05d}-of-{target.parts:05d}"
    attempt = target.attempts / uuid.uuid4().hex
    command = [*target.command, "--shard", f"{index}/{target.parts}", "--out", str(attempt)]
    digest = hashlib.sha256()
    with tempfile.TemporaryFile() as output:
        is_done = (target.out / name).exists()
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": output}
        process = None if is_done else subprocess.Popen(command, **streams)
        try:
            for line in lines(rows, counts):
                digest.update(line)
                if process:
                    process.stdin.write(line)
            if process:
                process.stdin.close()
                if process.wait() != 0:
                    raise BrokenPipeError
                if (attempt / PLAN).read_bytes() != (target.out / PLAN).read_bytes():
                    raise PartError(f"{name} has another plan; byteify and its patcher must be the same everywhere.")
                try:
                    (attempt / name).rename(target.out / name)
                except OSError:
                    if not (target.out / name).exists():
                        raise
        except BrokenPipeError:
            code = process.wait()
            raise PartError(f"{shlex.join(command)} ended with {code}: {message_in(output)}") from None
        finally:
            # Before its standard input is closed, which would look like the end of the text.
            if process and process.poll() is None:
                process.kill()
                process.wait()
            shutil.rmtree(attempt, ignore_errors=True)
    if stdin_digest(target.out / name) != digest.hexdigest():
        raise PartError(f"{target.out / name} was prepared from other text; remove {target.out} or use another --out.")
    yield counts


def agree_on_plan(target: Target) -> None:
    """Writes the plan of the folder, or compares it with the one that is there, before Spark begins."""
    target.attempts.mkdir(parents=True)
    if not (target.out / PLAN).exists() and any(p.name[0] != "." for p in target.out.iterdir()):
        raise SystemExit(f"error: {target.out} is not empty and is no prepared folder.")
    trial = target.attempts / "plan"
    command = [*target.command, "--shard", f"0/{target.parts}", "--out", str(trial)]
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError as error:
        raise SystemExit(f"error: {command[0]} cannot be run ({error.strerror}); see --byteify.") from None
    if result.returncode != 0:
        raise SystemExit(result.stderr.strip())
    plan = trial / PLAN
    kept = target.out / PLAN
    if not kept.exists():
        plan.rename(kept)
    elif kept.read_bytes() != plan.read_bytes():
        raise SystemExit(f"error: {target.out} was prepared with other options or another number of parts.")
