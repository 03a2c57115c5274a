"""Next-token losses that transformers' LlamaForCausalLM gives for one sequence of ids, for several folders; null where it does not load one whole.

usage: llama_losses.py IDS.json FOLDER...
"""
import json
import sys

import torch
from transformers import LlamaForCausalLM

ids = torch.tensor([json.load(open(sys.argv[1]))])
found = []
for folder in sys.argv[2:]:
    model, info = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    if info["missing_keys"] or info["mismatched_keys"]:
        found.append(None)
        continue
    with torch.no_grad():
        logits = model(ids).logits[0, :-1]
    found.append(torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="none").tolist())
print(json.dumps(found))
