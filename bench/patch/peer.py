"""Segments the first bytes of FOLDER/text, as many as each line on stdin states, with transformers, and prints {"ms", "entropies"}.

usage: peer.py FOLDER THREADS
"""
import json
import sys
import time

import torch
from transformers import BltForCausalLM

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
model = BltForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
patching = {"patch_size": model.config.patch_size, "threshold": model.config.patching_threshold}
text = open(f"{folder}/text", "rb").read()
print("READY", flush=True)
for line in sys.stdin:
    # BOS comes first; the id of a byte is its value + 4.
    ids = torch.tensor([[1] + [byte + 4 for byte in text[: int(line)]]])
    begun = time.perf_counter()
    with torch.no_grad():
        entropies, _, _ = model.model.patcher(ids, **patching)
    ms = (time.perf_counter() - begun) * 1000
    print(json.dumps({"ms": ms, "entropies": entropies[0, :-1].tolist()}), flush=True)
