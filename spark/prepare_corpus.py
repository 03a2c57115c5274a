"""Removes exact and near duplicates from a corpus, shuffles it, and prepares it with byteify, on a Spark cluster.

    spark-submit prepare_corpus.py 'corpus/*.parquet' --out prepared --parts 64 -- --licence cc-by-4.0

What follows `--` is passed to `byteify prepare`. Every worker needs byteify, numpy and the folder --out, on a file
system that all share. The result depends on the texts and the options alone, not on the workers or on the order of
the input. Run the same command again to resume. docs/spark.md explains the steps.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterable, Iterator

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

import near_duplicates
import prepare_parts
from near_duplicates import Settings, removed, sign
from prepare_parts import Target, agree_on_plan, prepare_part

FORMATS = {".parquet": "parquet", ".json": "json", ".jsonl": "json", ".ndjson": "json", ".txt": "text", ".md": "text"}
# Rows of the end per part: that a part gets none has a probability of exp(-ENDS).
ENDS = 40
SIGNED = "id binary, buckets array<bigint>, signature binary"


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
    given = sys.argv[1:]
    own = given.index("--") if "--" in given else len(given)
    args = parser.parse_args(given[:own])
    args.options = given[own + 1 :]
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
            try:
                yield (bytes(document), *sign(bytes(text).decode(), settings))
            except UnicodeDecodeError:
                continue

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


def shuffled(
    spark: SparkSession, texts: DataFrame, near: DataFrame | None, args: argparse.Namespace
) -> DataFrame:
    """Rows of (is_end, key, text) in the folder's parts and order. One without text marks a near duplicate.

    The key is a hash of the seed and the text, so a part that is computed again has the same rows in the same order.
    """
    rows = texts.select(F.lit(False).alias("is_end"), "id", "text")
    none = F.lit(None).cast("binary").alias("text")
    if near is not None:
        rows = rows.union(near.select(F.lit(False), "id", none))
    # Keys are divided at random, so at least one of these is in each part.
    ends = spark.range(ENDS * args.parts).select(F.lit(True), F.col("id").cast("string").cast("binary"), none)
    key = F.unhex(F.sha2(F.concat(F.lit(f"{args.seed}:").cast("binary"), F.col("id")), 256))
    keyed = rows.union(ends).select("is_end", key.alias("key"), "text")
    ordered = keyed.repartition(args.parts, "key").sortWithinPartitions("is_end", "key", "text")
    if ordered.rdd.getNumPartitions() != args.parts:
        raise SystemExit("error: Spark did not make as many partitions as --parts says.")
    return ordered


def main() -> None:
    args = arguments()
    settings = Settings(args.bands, args.rows, args.threshold)
    spark = SparkSession.builder.appName("byteify prepare").getOrCreate()
    context = spark.sparkContext
    for module in (near_duplicates, prepare_parts):
        context.addPyFile(module.__file__)
    out = args.out.absolute()
    command = [*shlex.split(args.byteify), "prepare"]
    target = Target(out, out / f".attempts-{context.applicationId}", args.parts, [*command, "-", *args.options])
    try:
        agree_on_plan(target)
        texts = read(spark, args)
        near = None if args.exact_only else find_near_duplicates(spark, texts, settings)
        rows = shuffled(spark, texts, near, args).rdd
        parts = rows.mapPartitionsWithIndex(lambda index, part: prepare_part(index, part, target)).collect()
    except Py4JJavaError as error:
        reason = re.search(r"PartError: (.+)", str(error))
        if reason is None:
            raise
        raise SystemExit(f"error: {reason[1]}") from None
    finally:
        shutil.rmtree(target.attempts, ignore_errors=True)
    # spark-submit prints the standard error of a driver in Python among its output.
    merged = subprocess.run([*command, "--merge", "--out", str(out), "--json"], capture_output=True, text=True)
    if merged.returncode != 0:
        raise SystemExit(merged.stderr.strip())
    counts = {name: sum(part[name] for part in parts) for name in parts[0]}
    missed = None if args.exact_only else settings.missed(args.threshold)
    print(json.dumps({**counts, "missed_at_threshold": missed, "prepared": json.loads(merged.stdout)}, indent=2))


if __name__ == "__main__":
    main()
