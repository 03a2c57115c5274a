"""Writes Parquet files with pyarrow in every compression, and prints the texts in them as JSON.

usage: parquet.py FOLDER
Beside the text, each file has columns of other and of nested types. Some texts are null, and one is empty.
"""
import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 500
texts = [f"Zeile {i} é 東 😀 " + "x" * (i % 50) for i in range(ROWS)]
texts[7], texts[9] = None, ""
others = {
    "id": pa.array(range(ROWS)),
    "meta": pa.array([{"url": f"/{i}", "score": i / 7} for i in range(ROWS)]),
    "tags": pa.array([["a", "b"][: i % 3] for i in range(ROWS)]),
}
for kind in [pa.string(), pa.large_string()]:
    table = pa.table({**others, "text": pa.array(texts, kind)})
    for compression in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
        for dictionary in [True, False]:
            for version in ["1.0", "2.0"]:
                pq.write_table(
                    table,
                    f"{sys.argv[1]}/{kind}-{compression}-{dictionary}-{version}.parquet",
                    compression=compression,
                    row_group_size=130,
                    use_dictionary=dictionary,
                    data_page_version=version,
                )
print(json.dumps(texts))
