"""Removes exact and near duplicates from a corpus, shuffles it, and prepares it with byteify, on a Spark cluster.

    spark-submit prepare_corpus.py 'corpus/*.parquet' --out prepared --parts 64 -- --licence cc-by-4.0

What follows `--` is passed to `byteify prepare`. Every worker needs byteify, numpy and the folder --out, on a file
system that all share. The result depends on the texts and the options alone, not on the workers or on the order of
the input. Run the same command again to resume. docs/spark.md explains the steps.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import uuid
from itertools import groupby
from pathlib import Path
from typing import IO, Iterable, Iterator, NamedTuple

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

import near_duplicates
from near_duplicates import Settings, removed, sign

FORMATS = {".parquet": "parquet", ".json": "json", ".jsonl": "json", ".ndjson": "json", ".txt": "text", ".md": "text"}
SIGNED = "id binary, buckets array<bigint>, signature binary"


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


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    option = parser.add_argument
    option("input", nargs="+", help="paths and patterns that Spark reads")
    option("--out", required=True, type=Path, help="the prepared folder")
    option("--parts", required=True, type=int, help="parts of the folder, at least 2; a lost part is done again")
    option("--column", default="text", help="the column or key of the text (default: text)")
    option("--format", choices=sorted(set(FORMATS.values())), help="of the input (default: by its names)")
    option("--seed", type=int, default=0, help="of the shuffle (default: 0)")
    option("--threshold", type=float, default=0.8, help="similarity of near duplicates (default: 0.8)")
    option("--bands", type=int, default=20, help="bands of MinHash (default: 20)")
    option("--rows", type=int, default=6, help="rows of a band (default: 6)")
    option("--exact-only", action="store_true", help="keep near duplicates")
    option("--byteify", default="byteify", help="the command on the workers (default: byteify)")
    own, rest = (sys.argv[1:] + ["--"])[: (sys.argv[1:] + ["--"]).index("--")], sys.argv[1:]
    args = parser.parse_args(own)
    args.options = rest[len(own) + 1 :]
    if args.parts < 2:
        parser.error("--parts must be at least 2")
    if not 0 < args.threshold <= 1 or min(args.bands, args.rows) < 1:
        parser.error("--threshold must be above 0 and at most 1, --bands and --rows at least 1")
    return args


def read(spark: SparkSession, args: argparse.Namespace) -> DataFrame:
    """All texts as bytes with their sha256. What has no text becomes the empty text."""
    texts: DataFrame | None = None
    for path in args.input:
        name = re.sub(r"\.(gz|bz2)$", "", path)
        form = args.format or FORMATS.get(Path(name).suffix)
        if form is None:
            raise SystemExit(f"error: the name of {path} does not say what it is; give --format.")
        if form == "text":
            frame = spark.read.text(path, wholetext=True).select(F.col("value").alias("text"))
        else:
            quoted = f"`{args.column}`"
            reader = spark.read.schema(f"{quoted} string") if form == "json" else spark.read
            frame = (reader.json(path) if form == "json" else reader.parquet(path)).select(F.col(quoted).alias("text"))
        frame = frame.select(F.coalesce(F.col("text").cast("binary"), F.lit(b"")).alias("text"))
        texts = frame if texts is None else texts.union(frame)
    assert texts is not None
    return texts.withColumn("id", F.unhex(F.sha2("text", 256)))


def find_near_duplicates(spark: SparkSession, texts: DataFrame, settings: Settings) -> DataFrame:
    """The ids of near duplicates; an id may occur several times."""

    def signed(rows: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, list[int], bytes]]:
        for text, document in rows:
            yield (bytes(document), *sign(bytes(text).decode(errors="replace"), settings))

    signatures = spark.createDataFrame(
        texts.where(F.length("text") > 0).select("text", "id").rdd.mapPartitions(signed), SIGNED, verifySchema=False
    ).dropDuplicates(["id"])
    banded = signatures.select(F.explode("buckets").alias("bucket"), "id", "signature")
    # Most buckets have one document, which ends here.
    order = Window.partitionBy("bucket").orderBy("id")
    met = banded.withColumn("met", F.lag("id").over(order).isNotNull() | F.lead("id").over(order).isNotNull())
    rows = met.where("met").select("bucket", "id", "signature").sortWithinPartitions("bucket", "id").rdd
    found = rows.mapPartitions(lambda part: ((bytes(document),) for document in removed(part, settings)))
    return spark.createDataFrame(found, "id binary", verifySchema=False)


def shuffled(texts: DataFrame, near: DataFrame | None, args: argparse.Namespace) -> DataFrame:
    """Rows of (key, text) in the folder's parts and order. A row without text marks the near duplicate that follows.

    The key is a hash of the seed and the text, so a part that is computed again has the same rows in the same order.
    """
    rows = texts.select("id", "text")
    if near is not None:
        rows = rows.union(near.select("id", F.lit(None).cast("binary").alias("text")))
    key = F.unhex(F.sha2(F.concat(F.lit(f"{args.seed}:").cast("binary"), F.col("id")), 256))
    ordered = rows.select(key.alias("key"), "text").repartition(args.parts, "key").sortWithinPartitions("key", "text")
    if ordered.rdd.getNumPartitions() != args.parts:
        raise SystemExit("error: Spark did not make as many partitions as --parts says.")
    return ordered


def lines(rows: Iterable[tuple[bytes, bytes | None]], counts: dict[str, int]) -> Iterator[bytes]:
    """The documents of a part as JSON lines; counts what is left out."""
    for _, same in groupby(rows, key=lambda row: bytes(row[0])):
        copies = [0, 0]
        text: bytes = b""
        for _, value in same:
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


def prepare_part(index: int, rows: Iterable[tuple[bytes, bytes | None]], target: Target) -> Iterator[dict[str, int]]:
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
    if not (target.out / "prepare-plan.json").exists() and any(p.name[0] != "." for p in target.out.iterdir()):
        raise SystemExit(f"error: {target.out} is not empty and is no prepared folder.")
    trial = target.attempts / "plan"
    command = [*target.command, "--shard", f"0/{target.parts}", "--out", str(trial)]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(result.stderr.strip())
    plan = trial / "prepare-plan.json"
    kept = target.out / plan.name
    if not kept.exists():
        plan.rename(kept)
    elif kept.read_bytes() != plan.read_bytes():
        raise SystemExit(f"error: {target.out} was prepared with other options or another number of parts.")


def main() -> None:
    args = arguments()
    settings = Settings(args.bands, args.rows, args.threshold)
    spark = SparkSession.builder.appName("byteify prepare").getOrCreate()
    context = spark.sparkContext
    context.addPyFile(near_duplicates.__file__)
    out = args.out.absolute()
    command = [*shlex.split(args.byteify), "prepare"]
    target = Target(out, out / f".attempts-{context.applicationId}", args.parts, [*command, "-", *args.options])
    try:
        agree_on_plan(target)
        texts = read(spark, args)
        near = None if args.exact_only else find_near_duplicates(spark, texts, settings)
        rows = shuffled(texts, near, args).rdd
        parts = rows.mapPartitionsWithIndex(lambda index, part: prepare_part(index, part, target)).collect()
    except Py4JJavaError as error:
        reason = re.search(r"PartError: (.+)", str(error))
        if reason is None:
            raise
        raise SystemExit(f"error: {reason[1]}") from None
    finally:
        shutil.rmtree(target.attempts, ignore_errors=True)
    merged = subprocess.run([*command, "--merge", "--out", str(out), "--json"], stdout=subprocess.PIPE)
    if merged.returncode != 0:
        raise SystemExit(merged.returncode)
    counts = {name: sum(part[name] for part in parts) for name in parts[0]}
    missed = None if args.exact_only else settings.missed(args.threshold)
    print(json.dumps({**counts, "missed_at_threshold": missed, "prepared": json.loads(merged.stdout)}, indent=2))


if __name__ == "__main__":
    main()
