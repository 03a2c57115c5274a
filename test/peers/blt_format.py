"""Prints what transformers says of the facts that docs/blt-format.md states.

usage: blt_format.py REQUEST.json
The request holds configs (as config.json files), ids and entropies; the answer is one JSON document.
"""
import json
import sys

import torch
from transformers import BltConfig, BltForCausalLM, PreTrainedConfig
from transformers.models.blt import modeling_blt
from transformers.models.blt.configuration_blt import BltGlobalTransformerConfig

PARTS = ["encoder_config", "decoder_config", "global_config", "patcher_config"]
torch.set_num_threads(2)
request = json.load(open(sys.argv[1]))


def own_keys(config):
    """A config's keys without those that every config of transformers has."""
    shared = set(PreTrainedConfig().to_dict()) - {"model_type"}
    return {key: value for key, value in config.to_dict().items() if key not in shared and key not in PARTS}


def tensors(config):
    """Names and shapes, without memory for the values."""
    with torch.device("meta"):
        model = BltForCausalLM(config)
    return {name: list(value.shape) for name, value in model.state_dict().items()}


def small(seed=0, window=None, layers=2, attention="eager", **changes):
    """A model of 16 channels with weights large enough for every part to matter."""
    part = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": layers, "intermediate_size": 24}
    parts = {name: dict(part, **changes.pop(name, {})) for name in PARTS}
    parts["decoder_config"]["hidden_size_global"] = 32
    parts["global_config"]["hidden_size"] = 32
    config = BltConfig(
        **parts,
        encoder_hash_byte_group_vocab=50,
        patching_threshold=changes.pop("patching_threshold", 5.0),
        local_attention_window_len=window,
        use_cache=changes.pop("use_cache", False),
        **changes,
    )
    config._attn_implementation = attention
    torch.manual_seed(seed)
    return BltForCausalLM(config).eval()


def logits_of(model, ids, **options):
    with torch.no_grad():
        return model(ids, **options).logits[0]


def difference(a, b):
    return (a.double() - b.double()).abs().max().item()


def random_ids(length, seed=1):
    ids = torch.randint(4, 260, (1, length), generator=torch.Generator().manual_seed(seed))
    ids[0, 0] = 1
    return ids


def error_of(action):
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def called_with(module, run):
    """What a module was called with, and what it returned, while `run` ran."""
    calls = []
    handle = module.register_forward_hook(lambda _, args, kwargs, out: calls.append((args, kwargs, out)), with_kwargs=True)
    run()
    handle.remove()
    return calls[0]


def hash_rows():
    """[positions][tables], of one document."""
    ids, sizes, functions, vocab = (request["hash"][key] for key in ("ids", "sizes", "functions", "vocab"))
    rows = []

    class Table:
        """In place of the embedding: keeps the rows it is asked for."""

        def __call__(self, looked_up):
            rows.append(looked_up[0].tolist())
            return torch.zeros(1, len(ids), 1)

    class Encoder:
        @staticmethod
        def embed_tokens(_):
            return torch.zeros(1, len(ids), 1)

    modeling_blt.compute_hash_embeddings(torch.tensor([ids]), Encoder, Table(), functions, sizes, vocab)
    return [list(of_position) for of_position in zip(*rows)]


def patch_lengths():
    return [
        modeling_blt.BltPatcher.patch_lengths_from_entropies(
            torch.tensor([entropies]), len(entropies), patch_size=4, threshold=request["threshold"]
        )[0].tolist()
        for entropies in request["entropies"]
    ]


def patch_ids():
    """E and D of rows of one length, as transformers numbers them in a batch, where rows have different numbers of patches."""
    rows = torch.tensor(request["batch"])
    lengths = modeling_blt.BltPatcher.patch_lengths_from_entropies(
        rows, rows.shape[1], patch_size=4, threshold=request["threshold"]
    )
    of = modeling_blt.BltModel._patch_ids_from_lengths
    return {
        "lengths": lengths.tolist(),
        "encoder": of(None, lengths, rows.shape[1]).tolist(),
        "decoder": of(None, lengths[:, 1:], rows.shape[1]).tolist(),
    }


def rotations():
    """A head's vector turned at a position, by each kind of rope; and the frequencies."""
    out = []
    for parameters in request["ropes"]:
        config = BltGlobalTransformerConfig(
            hidden_size=64, num_attention_heads=4, max_position_embeddings=32768, rope_parameters=parameters
        )
        rotary = modeling_blt.BltRotaryEmbedding(config)
        vector = torch.tensor(request["vector"])[None, None, None]
        cos, sin = rotary(vector, torch.tensor([[request["position"]]]))
        turned, _ = modeling_blt.apply_rotary_pos_emb(vector, vector, cos, sin)
        out.append({"frequencies": rotary.inv_freq.tolist(), "turned": turned.flatten().tolist()})
    return out


def deviations():
    """Of fresh tensors, relative to the deviation that the format states; and the largest value in deviations."""
    model = small(layers=1)
    wide = {"patcher_config": {"hidden_size": 128, "num_attention_heads": 2, "intermediate_size": 192}}
    patcher = small(layers=1, **wide).model.patcher
    named = {
        "embedding": (patcher.embed_tokens.weight, 128),
        "q_proj": (patcher.layers[0].self_attn.q_proj.weight, 128),
        "o_proj": (patcher.layers[0].self_attn.o_proj.weight, 128),
        "up_proj": (patcher.layers[0].mlp.up_proj.weight, 128),
        "down_proj": (patcher.layers[0].mlp.down_proj.weight, 192),
        "lm_head": (patcher.lm_head.weight, 128),
        "hash": (model.model.encoder_hash_tok_embedding.weight, 16),
    }
    return {
        name: {"relative": value.std().item() * fan_in**0.5, "largest": value.abs().max().item() * fan_in**0.5}
        for name, (value, fan_in) in named.items()
    }


def residuals():
    """Cross-attention whose output projection is zero returns its own queries; the encoder and the decoder add them once more."""
    model = small().model
    for layer in [*model.local_encoder.cross_attn_layers, *model.local_decoder.cross_attn_layers]:
        torch.nn.init.zeros_(layer.o_proj.weight)
    run = lambda: model(random_ids(12))
    _, encoder_call, encoder_out = called_with(model.local_encoder.cross_attn_layers[0], run)
    _, _, (_, patches) = called_with(model.local_encoder, run)
    _, decoder_call, decoder_out = called_with(model.local_decoder.cross_attn_layers[0], run)
    (entered,), _, _ = called_with(model.local_decoder.layers[0], run)
    return {
        "encoder_module": difference(encoder_out[0], encoder_call["hidden_states"]),
        "encoder_patches": difference(patches, 2 * encoder_call["hidden_states"]),
        "decoder_module": difference(decoder_out[0], decoder_call["hidden_states"]),
        "decoder_layer_input": difference(entered, 2 * decoder_call["hidden_states"]),
    }


def visible_keys(window, length=12):
    """How many keys each query of a local block sees, and each of the latent global transformer's."""
    model = small(window=window)
    ids = random_ids(length)
    run = lambda: logits_of(model, ids, patch_lengths=torch.ones(1, length + 1, dtype=torch.long))
    count = lambda mask: (mask[0, 0] == 0).sum(-1).tolist()
    local = [called_with(part, run)[1]["attention_mask"] for part in (model.model.local_encoder, model.model.local_decoder)]
    (_, global_call, _) = called_with(model.model.global_transformer, run)
    return {
        "encoder": count(local[0]),
        "decoder": count(local[1]),
        "global": count(global_call["attention_mask"]),
        "global_positions": global_call["position_ids"][0].tolist(),
    }


def cross_visibility():
    """The keys that each query of a cross-attention sees: rows of queries [heads dropped]."""
    model = small()
    lengths = torch.tensor([request["cross"]])
    ids = random_ids(lengths.sum().item() - 1)
    run = lambda: logits_of(model, ids, patch_lengths=lengths)
    see = lambda call: [[key for key, hidden in enumerate(row) if hidden == 0] for row in call["attention_mask"][0, 0].tolist()]
    return {
        "encoder": see(called_with(model.model.local_encoder.cross_attn_layers[0], run)[1]),
        "decoder": see(called_with(model.model.local_decoder.cross_attn_layers[0], run)[1]),
    }


def prefix_difference(model, ids):
    """How far the logits of each prefix are from those of the whole."""
    whole = logits_of(model, ids)
    return max(difference(logits_of(model, ids[:, :n])[-1], whole[n - 1]) for n in range(1, ids.shape[1]))


def padding():
    model = small()
    ids = random_ids(10)
    pad = torch.zeros(1, 3, dtype=torch.long)
    whole = logits_of(model, ids)
    mask = torch.tensor([[0] * 3 + [1] * 10])
    right = logits_of(model, torch.cat([ids, pad], 1), attention_mask=mask.flip(1))
    left = logits_of(model, torch.cat([pad, ids], 1), attention_mask=mask)
    return {"right": difference(right[:10], whole), "left": difference(left[3:], whole)}


def all_layers_of_the_encoder():
    """With cross_attn_all_layers the encoder pools again after each layer: only the last cross-attention is heard."""
    model = small(encoder_config={"cross_attn_all_layers": True})
    ids = random_ids(10)
    before = logits_of(model, ids)
    changes = []
    for layer in model.model.local_encoder.cross_attn_layers:
        kept = layer.o_proj.weight.clone()
        torch.nn.init.zeros_(layer.o_proj.weight)
        changes.append(difference(logits_of(model, ids), before))
        layer.o_proj.weight.data = kept
    return changes


def traps():
    ids = random_ids(14)
    cached = small(use_cache=True)
    plain = small()
    one_byte = torch.ones(1, ids.shape[1] + 1, dtype=torch.long)
    half = small().bfloat16()
    tied = small(tie_word_embeddings=True)
    return {
        "use_cache_error": error_of(lambda: logits_of(cached, ids)),
        "generate_error": error_of(lambda: cached.generate(ids, max_new_tokens=2)),
        "generated_without_cache": plain.generate(ids, max_new_tokens=2, do_sample=False).shape[1],
        "patches": plain.model.patcher(ids, patch_size=4, threshold=5.0)[1].shape[1],
        "prefix": prefix_difference(plain, ids),
        "prefix_with_max_patch_length": prefix_difference(small(max_patch_length=3), ids),
        "other_patching_mode": difference(
            logits_of(small(patching_mode="space"), ids), logits_of(plain, ids, patch_lengths=one_byte)
        ),
        "patch_lengths_matter": difference(logits_of(plain, ids), logits_of(plain, ids, patch_lengths=one_byte)),
        "bfloat16_logits": str(logits_of(half, ids).dtype),
        "bfloat16_above_threshold": bool(torch.tensor(1.3359375, dtype=torch.bfloat16) > request["released_threshold"]),
        "float32_above_threshold": bool(torch.tensor(1.3359375) > request["released_threshold"]),
        "tied": tied.lm_head.weight is tied.model.local_encoder.embed_tokens.weight,
        "tied_by_default": plain.lm_head.weight is plain.model.local_encoder.embed_tokens.weight,
        "frozen": sorted({name.split(".")[1] for name, p in plain.named_parameters() if not p.requires_grad}),
        "head_dim_error": error_of(lambda: logits_of(small(global_config={"head_dim": 8}), ids)),
        "without_patcher": [name for name in small(patch_in_forward=False).state_dict() if ".patcher." in name],
        "saved_buffers": sorted({name for name, _ in plain.named_buffers()} & set(plain.state_dict())),
        "overwritten_window": BltConfig(encoder_config={"sliding_window": 7}).encoder_config.sliding_window,
        "overwritten_cross_output": BltConfig(
            global_config={"encoder_cross_output_size": 7}
        ).global_config.encoder_cross_output_size,
        "norm_eps_ignored": BltGlobalTransformerConfig(norm_eps=1e-3).rms_norm_eps,
        "old_rope": [
            BltGlobalTransformerConfig(rope_theta=7.0).rope_parameters,
            BltGlobalTransformerConfig(rope_theta=7.0, rope_scaling=request["ropes"][1]).rope_parameters["factor"],
        ],
    }


defaults = BltConfig()
print(
    json.dumps(
        {
            "defaults": {"top": own_keys(defaults), **{part: own_keys(getattr(defaults, part)) for part in PARTS}},
            "tensors": [tensors(BltConfig.from_dict(config)) for config in request["configs"]],
            "reread": [BltConfig.from_dict(config).to_dict() for config in request["configs"]],
            "parameters": sum(torch.Size(shape).numel() for shape in tensors(defaults).values()),
            "hash_rows": hash_rows(),
            "patch_lengths": patch_lengths(),
            "patch_ids": patch_ids(),
            "rotations": rotations(),
            "deviations": deviations(),
            "residuals": residuals(),
            "windows": {"5": visible_keys(5), "null": visible_keys(None)},
            "cross": cross_visibility(),
            "padding": padding(),
            "encoder_all_layers": all_layers_of_the_encoder(),
            "traps": traps(),
        }
    )
)
