"""Finds near duplicates by MinHash: Broder, On the resemblance and containment of documents (1997).

The similarity of two texts is the Jaccard index of their sets of shingles, all runs of SHINGLE_BYTES bytes. Of each of
`bands * rows` permutations, the smallest shingle is kept; two texts agree in one of them with the probability of their
similarity. Texts that agree in all rows of a band share a bucket and are compared: a pair of similarity s is never
compared with probability (1 - s**rows)**bands. All constants are fixed, so every worker and every run finds the same.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import Iterable, Iterator, NamedTuple

import numpy as np

SHINGLE_BYTES = 16
# Shingles that are hashed at once, so that a text of any length takes little memory.
BLOCK = 1024
# A document is compared with at most so many others of its bucket, those with the smallest ids.
COMPARED = 1000
# A signature keeps one byte of each minimum: different minima agree in it by chance once in so many cases.
BYTE_VALUES = 256


class Settings(NamedTuple):
    bands: int
    rows: int
    # Estimated similarity from which two documents are near duplicates.
    threshold: float

    def missed(self, similarity: float) -> float:
        """The share of pairs of this similarity that never meet in a bucket."""
        return (1 - similarity**self.rows) ** self.bands


def normalised(text: str) -> bytes:
    """The text as it is compared: without differences of case, white space and Unicode's compatible forms."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).encode()


def shingles(text: bytes) -> Iterator[np.ndarray]:
    """Hashes of all shingles in blocks, as uint32. A text shorter than a shingle is one shingle."""
    if len(text) < SHINGLE_BYTES:
        text = text.ljust(SHINGLE_BYTES, b"\0")
    values = np.frombuffer(text, np.uint8).astype(np.uint64)
    for begin in range(0, len(values) - SHINGLE_BYTES + 1, BLOCK):
        block = values[begin : begin + BLOCK + SHINGLE_BYTES - 1]
        count = len(block) - SHINGLE_BYTES + 1
        mixed = np.zeros(count, np.uint64)
        for i in range(SHINGLE_BYTES):
            mixed = mixed * np.uint64(0x100000001B3) + block[i : i + count] + np.uint64(1)
        # The finaliser of splitmix64: every bit depends on all others.
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        yield (mixed >> np.uint64(32)).astype(np.uint32)


@lru_cache
def permutations(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Permutations of 32-bit integers, x -> a * x + b with odd a, as two columns."""
    drawn = b"".join(hashlib.sha256(b"permutation %d" % i).digest()[:8] for i in range(count))
    a, b = np.frombuffer(drawn, "<u4").astype(np.uint32).reshape(count, 2, 1).transpose(1, 0, 2)
    return a | np.uint32(1), b


def minima(text: bytes, count: int) -> np.ndarray:
    """The smallest shingle under each permutation, as little-endian uint32."""
    a, b = permutations(count)
    smallest = np.full(count, 0xFFFFFFFF, np.uint32)
    for block in shingles(text):
        permuted = a * block
        permuted += b
        np.minimum(smallest, permuted.min(axis=1), out=smallest)
    return smallest.astype("<u4")


def sign(text: str, settings: Settings) -> tuple[list[int], bytes]:
    """The buckets of a text, one a band, as signed 64-bit integers, and its signature."""
    smallest = minima(normalised(text), settings.bands * settings.rows)
    buckets = [
        int.from_bytes(hashlib.sha256(b"%d " % band + row.tobytes()).digest()[:8], "big", signed=True)
        for band, row in enumerate(smallest.reshape(settings.bands, settings.rows))
    ]
    return buckets, (smallest & 0xFF).astype(np.uint8).tobytes()


def needed(settings: Settings) -> int:
    """Bytes in which the signatures of near duplicates agree, by chance or not."""
    by_chance = (1 - settings.threshold) / BYTE_VALUES
    return math.ceil(settings.bands * settings.rows * (settings.threshold + by_chance))


def removed(rows: Iterable[tuple[int, bytes, bytes]], settings: Settings) -> Iterator[bytes]:
    """The ids of near duplicates among rows of (bucket, id, signature), sorted by bucket and id.

    In each bucket, a document is removed if it is like one with a smaller id that the bucket has kept. It is removed
    for good, even if the document it is like is removed in another bucket.
    """
    agreeing = needed(settings)
    kept = np.empty((COMPARED, settings.bands * settings.rows), np.uint8)
    for _, bucket in groupby(rows, key=lambda row: row[0]):
        count = 0
        for _, document, signature in bucket:
            values = np.frombuffer(signature, np.uint8)
            if count > 0 and (kept[:count] == values).sum(axis=1).max() >= agreeing:
                yield document
            elif count < COMPARED:
                kept[count] = values
                count += 1
