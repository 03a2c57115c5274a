"""Prints the ids that transformers' BLT writes after some texts, the likeliest each time.

usage: generate.py FOLDER COUNT IDS [IDS ...]
IDS is a JSON list. The caches of this class are wrong, so each byte recomputes the text.
"""
import json
import sys

import torch
from transformers import BltForCausalLM

folder, count, *prompts = sys.argv[1:]
torch.set_num_threads(2)
model = BltForCausalLM.from_pretrained(folder, dtype=torch.float32)
model.eval()


def written(prompt):
    ids = torch.tensor([json.loads(prompt)])
    # Special ids are never written: begin of example, BOS, the BPE delimiter.
    options = {"max_new_tokens": int(count), "do_sample": False, "use_cache": False, "suppress_tokens": [0, 1, 3]}
    with torch.no_grad():
        return model.generate(ids, eos_token_id=2, pad_token_id=0, **options)[0, ids.shape[1] :].tolist()


print(json.dumps([written(prompt) for prompt in prompts]))
