"""Loads a BLT folder with transformers and prints what it computes.

usage: blt.py FOLDER TEXT [TEXT ...]
"""
import json
import sys

import torch
from transformers import AutoTokenizer, BltForCausalLM

folder, texts = sys.argv[1], sys.argv[2:]
torch.set_num_threads(2)
model, info = BltForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
model.eval()
tokenizer = AutoTokenizer.from_pretrained(folder)

patch_lengths = []
hooked = model.model.patcher.forward


def forward(*args, **kwargs):
    result = hooked(*args, **kwargs)
    patch_lengths.append(result[1].tolist())
    return result


model.model.patcher.forward = forward


def logits_of(ids):
    with torch.no_grad():
        return model(ids, use_cache=False).logits[0]


cases = []
for text in texts:
    patch_lengths.clear()
    ids = tokenizer(text, return_tensors="pt").input_ids
    logits = logits_of(ids)
    lengths = patch_lengths[0][0]
    generated = model.generate(ids, max_new_tokens=4, do_sample=False, use_cache=False)[0].tolist()
    cases.append(
        {
            "ids": ids[0].tolist(),
            "logits": logits.flatten(),
            "patch_lengths": lengths,
            "generated": generated,
            "round_trip": tokenizer.decode(ids[0], skip_special_tokens=True) == text,
        }
    )


def shuffle_hidden_units(generator):
    """Reorders the hidden units of every feed-forward network: the same function, summed in another order."""
    bytes_in, patches, bytes_out = model.model.local_encoder, model.model.global_transformer, model.model.local_decoder
    for layer in [*bytes_in.layers, *patches.layers, *bytes_out.layers]:
        order = torch.randperm(layer.mlp.down_proj.weight.shape[1], generator=generator)
        for projection in (layer.mlp.gate_proj, layer.mlp.up_proj):
            projection.weight.data = projection.weight.data[order].contiguous()
        layer.mlp.down_proj.weight.data = layer.mlp.down_proj.weight.data[:, order].contiguous()


# What float32 itself is uncertain by, on weights whose activations are large: the distance to double precision, at worst of several
# orders of summation.
in_float32 = [[case.pop("logits") for case in cases]]
generator = torch.Generator().manual_seed(0)
for _ in range(7):
    shuffle_hidden_units(generator)
    in_float32.append([logits_of(torch.tensor([case["ids"]])).flatten() for case in cases])
model.double()
float32_error = 0.0
for i, case in enumerate(cases):
    exact = logits_of(torch.tensor([case["ids"]])).flatten()
    float32_error = max(float32_error, *((exact - logits[i]).abs().max().item() for logits in in_float32))
    case["exact_logits"] = exact.tolist()
print(
    json.dumps(
        {
            "missing": sorted(info["missing_keys"]),
            "unexpected": sorted(info["unexpected_keys"]),
            "mismatched": sorted(str(key) for key in info["mismatched_keys"]),
            "config_use_cache": model.config.use_cache,
            "float32_error": float32_error,
            "cases": cases,
        }
    )
)
