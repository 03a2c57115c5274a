"""What transformers says of a Llama folder: token ids and bits per byte of texts.

usage: llama.py FOLDER TEXTS.json BOS_ID
"""
import json
import math
import sys

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

folder, texts, bos = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
torch.set_num_threads(2)
model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
nats = 0.0
size = 0
ids = []
for text in texts:
    encoded = tokenizer.encode(text, add_special_tokens=False).ids
    ids.append(encoded)
    row = torch.tensor([[bos] + encoded])
    with torch.no_grad():
        logits = model(row).logits[0].double()
    nats += torch.nn.functional.cross_entropy(logits[:-1], row[0, 1:], reduction="sum").item()
    size += len(text.encode())
print(json.dumps({"bits_per_byte": nats / (math.log(2) * size), "ids": ids}))
