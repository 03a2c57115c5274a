"""The text of a byteify hand-over, in the order and in the batches of byteify's own training.

data/train.bin contains all documents, one after another; data/train.ends says where each of them ends, as 8-byte
floats. byteify packs documents into rows and lets no document of a row see another one. transformers' BLT cannot
separate documents within a row, so here each document has a row of its own, padded on the right. The loss is the same:
attention depends on distances only, and n-grams and patches never cross the beginning of a document.
"""

from __future__ import annotations

import json
import math
from array import array
from pathlib import Path
from typing import Iterator, NamedTuple, Sequence

import numpy as np
import torch

PADDING, BOS, EOS, BYTE_OFFSET = 0, 1, 2, 4
# The target of positions that predict nothing: cross_entropy ignores it.
NO_TARGET = -100
# If fewer positions than this are left in a row, they stay empty.
MIN_DOCUMENT = 16
UINT32 = 0xFFFFFFFF


class Part(NamedTuple):
    """The bytes [begin, end) of the text, predicted after BOS, and EOS after them if the document ends there."""

    begin: int
    end: int
    is_last: bool

    @property
    def length(self) -> int:
        """Positions, which is also the number of predictions."""
        return self.end - self.begin + self.is_last


class Text:
    """One split of the text: `train` or `validation`."""

    def __init__(self, folder: Path, split: str) -> None:
        self.bytes = np.memmap(folder / f"{split}.bin", np.uint8, "r")
        self.ends = np.fromfile(folder / f"{split}.ends", "<f8").astype(np.int64)
        if len(self.ends) == 0 or self.ends[-1] != len(self.bytes):
            raise SystemExit(f"{folder}/{split}.bin and {split}.ends do not fit together; copy the folder again.")
        self.begins = np.concatenate([[0], self.ends[:-1]])
        # Domains as (first document, number of documents, weight); None if all documents are read once an epoch.
        self.domains: list[tuple[int, int, float]] | None = None
        domains = json.loads((folder / "data.json").read_text()).get("domains", [])
        if domains and all(domain["weight"] is not None for domain in domains):
            counts = [domain[split]["pieces"] for domain in domains]
            firsts = np.cumsum([0, *counts[:-1]]).tolist()
            self.domains = list(zip(firsts, counts, (domain["weight"] for domain in domains)))

    def tokens(self, part: Part) -> np.ndarray:
        """BOS, the bytes, and EOS if the document ends."""
        ids = self.bytes[part.begin : part.end].astype(np.int64) + BYTE_OFFSET
        return np.concatenate([[BOS], ids, [EOS] if part.is_last else []]).astype(np.int64)


def shuffled(count: int, seed: int) -> Sequence[int]:
    """A Fisher-Yates shuffle of 0..count-1 by a linear congruential generator, the same as byteify's."""
    order = array("q", range(count))
    state = ((seed * 0x9E3779B1) ^ 0x85EBCA6B) & UINT32
    for i in range(count - 1, 0, -1):
        state = (state * 1664525 + 1013904223) & UINT32
        j = int(state / 2**32 * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order


def weighted(text: Text, seed: int, epoch: int) -> list[int]:
    """The documents of an epoch in which each domain has the share of bytes that its weight gives it."""
    documents: list[int] = []
    total = sum(weight for _, _, weight in text.domains)
    for i, (first, count, weight) in enumerate(text.domains):
        own = int(text.ends[first + count - 1] - text.begins[first])
        wanted = max(1, math.floor(weight / total * len(text.bytes) / own * count + 0.5))
        pass_now, order = -1, array("q")
        for k in range(epoch * wanted, (epoch + 1) * wanted):
            if k // count != pass_now:
                pass_now = k // count
                order = shuffled(count, seed + pass_now * 7919 + i * 104729)
            documents.append(first + order[k % count])
    return documents


class Packer:
    """Takes documents in the order of byteify's training, as many as fit into its rows.

    Every process makes the same batches, and reads the text of its own part only.
    """

    def __init__(self, text: Text, row_length: int, seed: int, state: dict[str, int] | None = None) -> None:
        self.text, self.row_length, self.seed = text, row_length, seed
        self.epoch, self.place, self.offset = (state or {"epoch": 0, "place": 0, "offset": 0}).values()
        self.order = self._order()

    def _order(self) -> Sequence[int]:
        seed = self.seed + self.epoch * 7919
        if self.text.domains is None:
            return shuffled(len(self.text.ends), seed)
        documents = weighted(self.text, self.seed, self.epoch)
        return [documents[i] for i in shuffled(len(documents), seed)]

    def state(self) -> dict[str, int]:
        """The position after the last batch, from which another packer continues."""
        return {"epoch": self.epoch, "place": self.place, "offset": self.offset}

    def batch(self, rows: int) -> list[Part]:
        """The parts of documents in the next rows."""
        return [part for _ in range(rows) for part in self._row()]

    def _row(self) -> Iterator[Part]:
        free = self.row_length
        while free >= min(MIN_DOCUMENT, self.row_length):
            if self.place == len(self.order):
                self.epoch, self.place = self.epoch + 1, 0
                self.order = self._order()
            document = self.order[self.place]
            begin = int(self.text.begins[document]) + self.offset
            left = int(self.text.ends[document]) - begin
            # The last position of a full row predicts one byte more than the row has room for.
            copied = min(left, free - 1)
            predicted = min(left, copied + 1)
            yield Part(begin, begin + predicted, copied == left)
            free -= 1 + copied + (copied == left)
            if predicted == left:
                self.place, self.offset = self.place + 1, 0
            else:
                self.offset += predicted


def micro_batches(parts: Sequence[Part], positions: int, rank: int, world: int) -> list[list[Part]]:
    """The micro-batches of one process: parts of similar length, in at most so many padded positions.

    Every process gets the same number of them, since each waits for the others; empty ones fill up.
    """
    batches: list[list[Part]] = []
    for part in sorted(parts, key=lambda part: -part.length):
        if batches and (len(batches[-1]) + 1) * batches[-1][0].length <= positions:
            batches[-1].append(part)
        else:
            batches.append([part])
    batches += [[] for _ in range(-len(batches) % world)]
    return batches[rank::world]


def padded(text: Text, parts: Sequence[Part], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """The ids and the targets of a micro-batch, one part a row. An empty one has a row that predicts nothing."""
    if not parts:
        return torch.tensor([[BOS, BYTE_OFFSET]], device=device), torch.full((1, 2), NO_TARGET, device=device)
    width = max(2, *(part.length for part in parts))
    ids = torch.full((len(parts), width), PADDING)
    targets = torch.full((len(parts), width), NO_TARGET)
    for row, part in enumerate(parts):
        tokens = torch.from_numpy(text.tokens(part))
        ids[row, : part.length] = tokens[:-1]
        targets[row, : part.length] = tokens[1:]
    return ids.to(device), targets.to(device)
