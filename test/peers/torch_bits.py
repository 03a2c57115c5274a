"""Prints the bits per byte of a text under a BLT folder, as transformers computes them: {bits_per_byte, missing, unexpected}.

usage: torch_bits.py FOLDER FILE
"""
import json
import math
import sys
from pathlib import Path

import torch
from transformers import AutoTokenizer, BltForCausalLM

folder, file = sys.argv[1:]
torch.set_num_threads(1)
model, info = BltForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
text = Path(file).read_text()
ids = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt").input_ids
with torch.no_grad():
    logits = model.eval()(ids, use_cache=False).logits[0, :-1]
nats = torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum").item()
bits = nats / math.log(2) / len(text.encode())
print(json.dumps({"bits_per_byte": bits, "missing": sorted(info["missing_keys"]), "unexpected": sorted(info["unexpected_keys"])}))
