"""Makes a tiny random Llama with llama3 rope scaling and prints what transformers computes on random token ids.

usage: llama3_rope.py FOLDER
The original context is 64 positions of 160, and the weights are large enough for attention to look far: without the scaling, with it
on other wavelengths, or with another blend, the numbers differ in the first digits.
"""
import json
import sys

import torch
from transformers import LlamaConfig, LlamaForCausalLM

POSITIONS = 160

torch.set_num_threads(2)
torch.manual_seed(1)
config = LlamaConfig(
    vocab_size=64,
    hidden_size=64,
    intermediate_size=96,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=512,
    tie_word_embeddings=False,
    initializer_range=0.12,
    rope_parameters={
        "rope_type": "llama3",
        "rope_theta": 10000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    },
)
model = LlamaForCausalLM(config).eval()
model.save_pretrained(sys.argv[1])

layers = []
model.model.norm.register_forward_pre_hook(lambda _, args: layers.append(args[0]))
ids = torch.randint(0, config.vocab_size, (1, POSITIONS))
with torch.no_grad():
    hidden = model.model(ids).last_hidden_state[0]
    logits = model.lm_head(hidden).double()
losses = torch.nn.functional.cross_entropy(logits[:-1], ids[0, 1:], reduction="none")
print(
    json.dumps(
        {
            "ids": ids[0].tolist(),
            "last_layer": layers[0].flatten().tolist(),
            "hidden": hidden.flatten().tolist(),
            "losses": losses.tolist(),
        }
    )
)
