"""The nats that PyTorch gives parts of documents after what precedes them, by a BLT and by a Llama.

usage: evaluation.py BLT LLAMA BOS PARTS.json, where PARTS.json has {"before", "text"} in a list. A part that the Llama cannot read at once gives null.
"""
import json
import sys

import torch
from tokenizers import Tokenizer
from transformers import BltForCausalLM, LlamaForCausalLM

folder, source, bos, parts = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.load(open(sys.argv[4]))
torch.set_num_threads(2)
blt = BltForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
llama = LlamaForCausalLM.from_pretrained(source, dtype=torch.float32).eval()
tokenizer = Tokenizer.from_file(f"{source}/tokenizer.json")


def nats_of(logits, ids, first):
    losses = torch.nn.functional.cross_entropy(logits[0, :-1].double(), ids[0, 1:], reduction="none")
    return losses[first - 1 :].sum().item()


def by_bytes(before, text):
    ids = torch.tensor([[1] + [byte + 4 for byte in (before + text).encode()]])
    return nats_of(blt(input_ids=ids, use_cache=False).logits, ids, 1 + len(before.encode()))


def by_tokens(before, text):
    context = tokenizer.encode(before, add_special_tokens=False).ids
    whole = tokenizer.encode(before + text, add_special_tokens=False).ids
    # A token that joins both belongs to the text.
    common = 0
    while common < len(context) and context[common] == whole[common]:
        common += 1
    if 1 + len(whole) > llama.config.max_position_embeddings:
        return None
    ids = torch.tensor([[bos] + whole])
    return nats_of(llama(ids).logits, ids, 1 + common)


with torch.no_grad():
    found = [[part(one["before"], one["text"]) for one in parts] for part in (by_bytes, by_tokens)]
print(json.dumps({"model": found[0], "source": found[1]}))
