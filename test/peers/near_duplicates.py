"""Compares the MinHash of spark/near_duplicates.py with exact Jaccard indices, and prints what it found as JSON.

usage: near_duplicates.py SCRIPTS
"""

import json
import random
import sys

sys.path.insert(0, sys.argv[1])
from near_duplicates import BYTE_VALUES, SHINGLE_BYTES, Settings, normalised, removed, sign  # noqa: E402

PAIRS, BANDS, ROWS = 400, 10, 4
settings = Settings(BANDS, ROWS, 0.8)
source = random.Random(1)
words = ["".join(source.choices("abcdefghijklmnopqrstuvwxyzäé東", k=source.randint(2, 9))) for _ in range(3000)]


def jaccard(a, b):
    """The exact index of two texts."""
    one, two = ({text[i : i + SHINGLE_BYTES] for i in range(len(text) - SHINGLE_BYTES + 1)} for text in (a, b))
    return len(one & two) / len(one | two)


# Of each pair, how far the estimate is from the exact index, in its standard deviations, and whether it meets.
deviations, met, expected = [], 0, 0.0
for _ in range(PAIRS):
    words_a = source.choices(words, k=300)
    words_b = [source.choice(words) if source.random() < 0.08 else word for word in words_a]
    a, b = " ".join(words_a), " ".join(words_b)
    index = jaccard(normalised(a), normalised(b))
    (buckets_a, signature_a), (buckets_b, signature_b) = sign(a, settings), sign(b, settings)
    equal = sum(x == y for x, y in zip(signature_a, signature_b)) / (BANDS * ROWS)
    estimate = (equal - 1 / BYTE_VALUES) / (1 - 1 / BYTE_VALUES)
    deviations.append((estimate - index) / (index * (1 - index) / (BANDS * ROWS)) ** 0.5)
    met += bool(set(buckets_a) & set(buckets_b))
    expected += 1 - settings.missed(index)

mean = sum(deviations) / PAIRS
long = "word " * 1000 + "".join(source.choices(words, k=3000))
signed = {name: sign(text, settings) for name, text in {b"1": long, b"2": long.upper() + " ", b"3": "short"}.items()}
rows = sorted((bucket, name, signature) for name, (buckets, signature) in signed.items() for bucket in buckets)
print(
    json.dumps(
        {
            "mean_deviation": mean,
            "standard_deviation": (sum((x - mean) ** 2 for x in deviations) / PAIRS) ** 0.5,
            "met": met / PAIRS,
            "expected": expected / PAIRS,
            "removed": sorted({name.decode() for name in removed(rows, settings)}),
            # Fixed: of another Python, processor or byte order as well.
            "buckets": [str(bucket) for bucket in sign("The same everywhere.", settings)[0][:2]],
        }
    )
)
