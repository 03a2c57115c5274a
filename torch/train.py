"""Trains a BLT that `byteify export --format torch` handed over, on any number of GPUs, with FSDP2.

    torchrun --nproc-per-node 8 train.py

It takes the steps of byteify's own end-to-end stage: the same batches, loss, learning rates and AdamW. Run the same
command again to resume. `byteify import FOLDER --out DIR` takes the result back. docs/pytorch.md says what differs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
import torch.nn.functional as F
import transformers
from huggingface_hub import save_torch_state_dict
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from transformers import BltConfig, BltForCausalLM
from transformers.models.blt.modeling_blt import BltPatcher

from model import DTYPES, PATCHER, Settings, open_model, open_patcher
from row_optimizer import RowAdamW
from rows import EOS, NO_TARGET, Packer, Part, Text, micro_batches, padded

SCRIPT_VERSION = 1
RECORD = "training.json"
# The settings that a checkpoint records. A run that is resumed must have the same.
KEPT = ("byteify", "config_sha256", "data_sha256", "seed", "sequence_length")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    option = parser.add_argument
    option("--folder", type=Path, default=Path(__file__).parent, help="the hand-over (default: the script's folder)")
    option("--run", type=Path, help="folder of checkpoints and metrics.jsonl (default: run/ in the hand-over)")
    option("--reduce", choices=DTYPES, default="float32", help="precision in which processes sum gradients")
    option("--keep-weights", action="store_true", help="keep layers whole between the passes: faster, more memory")
    option("--defer-reduction", action="store_true", help="sum gradients once a step: faster, more memory")
    args = parser.parse_args()
    args.run = args.run or args.folder / "run"
    return args


def start() -> torch.device:
    """Joins the other processes. torchrun and accelerate set the environment that this reads."""
    if "RANK" not in os.environ:
        raise SystemExit("Start the script with torchrun: torchrun --nproc-per-node 1 train.py")
    # All wait while the first one writes the weights.
    patience = timedelta(hours=1)
    if not torch.cuda.is_available():
        dist.init_process_group("gloo", timeout=patience)
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    torch.cuda.set_device(device)
    dist.init_process_group("cpu:gloo,cuda:nccl", timeout=patience)
    return device


def open_optimizers(model: BltForCausalLM, settings: Settings) -> list[torch.optim.Optimizer]:
    """AdamW with the recipe's groups, and one for the hash tables that moves only the rows that a step read."""
    parameters = dict(model.named_parameters())
    common = {"lr": 0.0, "betas": tuple(settings["betas"]), "eps": settings["epsilon"]}
    groups: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for group in settings["groups"]:
        own = {"scale": group["learning_rate_scale"], "weight_decay": group["weight_decay"], **common}
        groups[group["part"] == "hash"].append({"params": [parameters[name] for name in group["tensors"]], **own})
    kinds = {False: torch.optim.AdamW, True: RowAdamW}
    return [kinds[is_table](own) for is_table, own in groups.items() if own]


def learning_rate(step: int, settings: Settings) -> float:
    """A linear warm-up, then a cosine or linear decay, or the peak. Steps count from 1."""
    peak, warmup, floor = (settings[key] for key in ("learning_rate", "warmup_steps", "min_learning_rate_ratio"))
    if step <= warmup:
        return peak * step / warmup
    progress = min(1.0, (step - warmup) / max(1, settings["steps"] - warmup))
    decays = {"cosine": 0.5 * (1 - math.cos(math.pi * progress)), "linear": progress, "constant": 0.0}
    return peak * (1 - (1 - floor) * decays[settings["schedule"]])


class Losses:
    """The next-byte loss of micro-batches, in nats."""

    def __init__(self, model: BltForCausalLM, patcher: BltPatcher, device: torch.device) -> None:
        self.model, self.patcher, self.device = model, patcher, device

    def sum(self, text: Text, parts: list[Part], count_ends: bool = True) -> torch.Tensor:
        """The sum over the predictions of a micro-batch; those of EOS count in training and not in bits per byte."""
        ids, targets = padded(text, parts, self.device)
        config = self.model.config
        with torch.no_grad():
            # Which size is given does not matter: a threshold decides.
            _, patch_lengths, _ = self.patcher(ids, patch_size=1, threshold=config.patching_threshold)
        logits = self.model(input_ids=ids, patch_lengths=patch_lengths, use_cache=False).logits
        if not count_ends:
            targets = targets.masked_fill(targets == EOS, NO_TARGET)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET, reduction="sum")

    @torch.no_grad()
    def bits_per_byte(self, text: Text, settings: Settings, positions: int) -> float:
        """On the first held-out text, cut into rows of the training's length."""
        packer = Packer(text, settings["sequence_length"], settings["seed"])
        row_bytes = min(settings["validation_bytes"], len(text.bytes))
        parts = packer.batch(max(1, row_bytes // settings["sequence_length"]))
        own = micro_batches(parts, positions, dist.get_rank(), dist.get_world_size())
        nats = torch.stack([self.sum(text, part, count_ends=False).double() for part in own]).sum()
        dist.all_reduce(nats)
        return nats.item() / math.log(2) / sum(part.end - part.begin for part in parts)


def checkpoints(run: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    complete = (folder for folder in run.glob("checkpoint-*") if (folder / RECORD).exists())
    return sorted(complete, key=lambda folder: int(folder.name.split("-")[1]))


def save(model, optimizers, patcher: BltPatcher, record: dict[str, Any], settings: Settings, args) -> None:
    """Writes a BLT that transformers loads, and the optimizer's state, under a temporary name that is then renamed."""
    folder = args.run / f"checkpoint-{record['step']:06d}"
    temporary = args.run / f".{folder.name}.tmp"
    weights = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    if dist.get_rank() == 0:
        shutil.rmtree(temporary, ignore_errors=True)
        model_files = shutil.ignore_patterns("*.safetensors*", ".*")
        shutil.copytree(args.folder / "model", temporary, ignore=model_files)
        weights |= {PATCHER + name: tensor.cpu() for name, tensor in patcher.state_dict().items()}
        save_torch_state_dict(weights, temporary, max_shard_size="5GB")
    dist.barrier()
    dcp.save(get_optimizer_state_dict(model, optimizers), checkpoint_id=temporary / "optimizer")
    dist.barrier()
    if dist.get_rank() == 0:
        (temporary / RECORD).write_text(json.dumps(record, indent=2) + "\n")
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
        for old in checkpoints(args.run)[: -settings["keep_checkpoints"]]:
            shutil.rmtree(old)
    dist.barrier()


def resume(checkpoint: Path, settings: Settings, model, optimizers) -> dict[str, Any]:
    """Restores the optimizer. The weights were read with the model. Returns the record of the checkpoint."""
    record = json.loads((checkpoint / RECORD).read_text())
    for key in KEPT:
        if record[key] != settings[key]:
            raise SystemExit(f"{checkpoint} was trained with another {key} than train.json has; choose another --run.")
    state = get_optimizer_state_dict(model, optimizers)
    dcp.load(state, checkpoint_id=checkpoint / "optimizer")
    set_optimizer_state_dict(model, optimizers, state)
    return record


def train(args: argparse.Namespace) -> None:
    settings: Settings = json.loads((args.folder / "train.json").read_text())
    device = start()
    rank, world = dist.get_rank(), dist.get_world_size()
    args.run.mkdir(parents=True, exist_ok=True)
    newest = (checkpoints(args.run) or [None])[-1]
    folder = newest or args.folder / "model"
    config = BltConfig.from_pretrained(folder)
    patcher = open_patcher(folder, config, device)
    model = open_model(folder, config, settings, args, device)
    optimizers = open_optimizers(model, settings)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    record: dict[str, Any] = {"format": 1, "script": SCRIPT_VERSION, "step": 0, "bytes": 0, "packer": None}
    record |= {"torch": torch.__version__, "transformers": transformers.__version__}
    record |= {key: settings[key] for key in KEPT}
    if newest is not None:
        saved = resume(newest, settings, model, optimizers)
        record |= {key: saved[key] for key in ("step", "bytes", "packer")}
    text, held_out = Text(args.folder / "data", "train"), Text(args.folder / "data", "validation")
    packer = Packer(text, settings["sequence_length"], settings["seed"], record["packer"])
    rows = min(settings["micro_batch_size"], math.ceil(settings["rows_per_step"] / world))
    positions = rows * settings["sequence_length"]
    losses = Losses(model, patcher, device)
    stop_file = args.run / "stop"
    signals: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: signals.append(number))

    metrics_file = args.run / "metrics.jsonl"
    if rank == 0:  # the steps after the checkpoint are taken again
        before = metrics_file.read_text().splitlines() if metrics_file.exists() else []
        kept = [line + "\n" for line in before if json.loads(line)["step"] <= record["step"]]
        metrics_file.write_text("".join(kept))

    def log(line: dict[str, Any]) -> None:
        if rank == 0:
            print(json.dumps(line), flush=True)
            with open(metrics_file, "a") as file:
                file.write(json.dumps(line) + "\n")

    while record["step"] < settings["steps"]:
        started = time.perf_counter()
        step = record["step"] + 1
        rate = learning_rate(step, settings)
        parts = packer.batch(settings["rows_per_step"])
        predictions = sum(part.length for part in parts)
        own = micro_batches(parts, positions, rank, world)
        nats = torch.zeros((), device=device)
        for i, micro_batch in enumerate(own):
            model.set_requires_gradient_sync(not args.defer_reduction or i == len(own) - 1)
            loss = losses.sum(text, micro_batch)
            # FSDP takes the mean over processes; the loss is the mean over the predictions of the whole step.
            (loss * settings["cross_entropy"] * world / predictions).backward()
            nats += loss.detach()
        norm = torch.nn.utils.clip_grad_norm_(trained, settings["clip_norm"]).full_tensor()
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * group["scale"]
            optimizer.step()
            optimizer.zero_grad()
        # One process may be told to stop; all must agree on it.
        totals = torch.stack([nats, nats.new_tensor(len(signals) + (rank == 0 and stop_file.exists()))])
        dist.all_reduce(totals)
        mean, is_stopped = totals[0].item() / predictions, totals[1].item() > 0
        if not math.isfinite(mean) or not math.isfinite(norm.item()):
            raise SystemExit(f"The loss is not a finite number at step {step}; the last checkpoint is kept.")
        count = sum(part.end - part.begin for part in parts)
        record |= {"step": step, "bytes": record["bytes"] + count, "packer": packer.state()}
        metrics = {"step": step, "loss_nats_per_byte": mean, "train_bits_per_byte": mean / math.log(2)}
        seconds = time.perf_counter() - started
        metrics |= {"learning_rate": rate, "gradient_norm": norm.item()}
        log({**metrics, "bytes": count, "bytes_per_second": count / seconds})
        is_last = step == settings["steps"]
        if step % settings["validate_every"] == 0 or is_last:
            log({"step": step, "held_out_bits_per_byte": losses.bits_per_byte(held_out, settings, positions)})
        if step % settings["checkpoint_every"] == 0 or is_last or is_stopped:
            save(model, optimizers, patcher, record, settings, args)
        if is_stopped:
            if rank == 0:
                stop_file.unlink(missing_ok=True)
                print(f"Stopped after step {step}, which is saved; run the same command to resume.", file=sys.stderr)
            break
    dist.destroy_process_group()


if __name__ == "__main__":
    train(arguments())
