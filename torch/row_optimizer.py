"""AdamW for hash tables, of which a step reads few rows."""

from __future__ import annotations

from typing import Any, Callable, Iterable

import torch


class RowAdamW(torch.optim.Optimizer):
    """AdamW that moves only the rows that a step read, and lets only their moments decay, as byteify's does.

    The bias correction counts all steps. Rows that were not read have a gradient of zeros. The parameters are DTensors
    that are divided by rows, so each process updates its own. Tables have no weight decay.
    """

    def __init__(self, params: Iterable[Any], lr: float = 0.0, betas=(0.9, 0.95), eps: float = 1e-8) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for table in group["params"]:
                if table.grad is None:
                    continue
                state = self.state[table]
                if not state:
                    state["step"] = torch.zeros(())
                    state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(table), torch.zeros_like(table)
                state["step"] += 1
                steps = state["step"].item()
                own = (table, table.grad, state["exp_avg"], state["exp_avg_sq"])
                value, gradient, first, second = (tensor.to_local() for tensor in own)
                rows = gradient.any(dim=1).nonzero().squeeze(1)
                g = gradient[rows]
                m = first[rows] * beta1 + g * (1 - beta1)
                v = second[rows] * beta2 + g * g * (1 - beta2)
                first[rows], second[rows] = m, v
                denominator = (v / (1 - beta2**steps)).sqrt() + group["eps"]
                value[rows] -= group["lr"] / (1 - beta1**steps) * m / denominator
