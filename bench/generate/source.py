"""Generates text with the source token model of a BLT and its KV cache, driven by lines of JSON on stdin.

usage: source.py FOLDER THREADS float32|bfloat16
{"text", "tokens"} generates greedily.
"""
import json
import sys
import time

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

folder, threads, dtype = sys.argv[1], int(sys.argv[2]), getattr(torch, sys.argv[3])
torch.set_num_threads(threads)
model = LlamaForCausalLM.from_pretrained(folder, dtype=dtype).eval()
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")


@torch.no_grad()
def write(text, tokens):
    """A plain loop, since `generate` takes longer per token."""
    prompt = tokenizer.encode(text, add_special_tokens=False).ids
    ids, cache, ms = torch.tensor([prompt]), None, []
    for _ in range(tokens):
        begun = time.perf_counter()
        out = model(ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        ids, cache = out.logits[:, -1].argmax(-1, keepdim=True), out.past_key_values
        ids.item()
        ms.append((time.perf_counter() - begun) * 1000)
    return {"ms": ms, "sizes": [1] * tokens, "bytes_per_token": len(text.encode()) / len(prompt)}


print("READY", flush=True)
for line in sys.stdin:
    print(json.dumps(write(**json.loads(line))), flush=True)
