"""Prints the documents that torch/rows.py packs of each store, as lists of ids, with the id that the end of a row only predicts.

usage: torch_rows.py SCRIPTS ROW_LENGTH SEED ROWS STORE [STORE ...]
"""
import json
import sys
from pathlib import Path

scripts, *numbers = sys.argv[1:5]
row_length, seed, rows = map(int, numbers)
sys.path.insert(0, scripts)
from rows import Packer, Text  # noqa: E402


def documents(store):
    text = Text(Path(store), "train")
    packer = Packer(text, row_length, seed)
    # In two halves, the second by another packer that continues.
    parts = packer.batch(rows // 2)
    parts += Packer(text, row_length, seed, packer.state()).batch(rows - rows // 2)
    return [text.tokens(part).tolist() for part in parts]


print(json.dumps([documents(store) for store in sys.argv[5:]]))
