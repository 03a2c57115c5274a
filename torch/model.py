"""The model of a byteify hand-over: transformers' BLT, divided over all processes, and its patcher, whole on each."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors import safe_open
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from transformers import BltConfig, BltForCausalLM
from transformers.models.blt.modeling_blt import BltCrossAttention, BltPatcher, BltRotaryEmbedding, BltTransformerLayer

PATCHER = "model.patcher."
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
Settings = dict[str, Any]


def read_weights(folder: Path, patcher: bool) -> dict[str, torch.Tensor]:
    """The tensors of the patcher, or all others, in float32."""
    tensors: dict[str, torch.Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as opened:
            wanted = [name for name in opened.keys() if name.startswith(PATCHER) == patcher]
            tensors |= {name: opened.get_tensor(name).float() for name in wanted}
    return tensors


def open_patcher(folder: Path, config: BltConfig, device: torch.device) -> BltPatcher:
    """The entropy model, which stays frozen, whole and in float32 on each device."""
    patcher = BltPatcher(config.patcher_config).eval().requires_grad_(False)
    patcher.load_state_dict({name[len(PATCHER) :]: tensor for name, tensor in read_weights(folder, True).items()})
    return patcher.to(device)


def open_model(folder: Path, config: BltConfig, settings: Settings, args: argparse.Namespace, device: torch.device):
    """The model without its patcher, divided over the processes before its weights are read."""
    config.patch_in_forward = False
    with torch.device("meta"):
        model = BltForCausalLM(config)
    trained = {name for group in settings["groups"] for name in group["tensors"]}
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in trained)
    if settings["gradient_checkpointing"]:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    options = {
        "mesh": init_device_mesh(device.type, (dist.get_world_size(),)),
        "mp_policy": MixedPrecisionPolicy(DTYPES[settings["precision"]], DTYPES[args.reduce]),
    }
    for module in list(model.modules()):
        if isinstance(module, (BltTransformerLayer, BltCrossAttention)):
            fully_shard(module, reshard_after_forward=not args.keep_weights, **options)
    # A forward pass reads the hash tables once for each n-gram size, so they stay gathered until its end.
    fully_shard(model.model.encoder_hash_tok_embedding, reshard_after_forward=False, **options)
    fully_shard(model, **options)
    model.to_empty(device=device)
    with device:
        for module in model.modules():
            if isinstance(module, BltRotaryEmbedding):
                module.__init__(module.config)  # to_empty left its frequencies undefined
    weights = read_weights(folder, False) if dist.get_rank() == 0 else {}
    set_model_state_dict(model, weights, options=StateDictOptions(full_state_dict=True, broadcast_from_rank0=True))
    return model.train()
