"""Prints the documents that torch/rows.py packs, as lists of ids: those of each row without the end that it only predicts.

usage: torch_rows.py SCRIPTS STORE ROW_LENGTH SEED ROWS
"""
import json
import sys
from pathlib import Path

scripts, store, row_length, seed, rows = sys.argv[1:]
sys.path.insert(0, scripts)
from rows import Packer, Text  # noqa: E402

text = Text(Path(store), "train")
packer = Packer(text, int(row_length), int(seed))
# In two halves, the second by another packer that continues.
parts = packer.batch(int(rows) // 2)
parts += Packer(text, int(row_length), int(seed), packer.state()).batch(int(rows) - int(rows) // 2)
print(json.dumps([text.tokens(part).tolist() for part in parts]))
