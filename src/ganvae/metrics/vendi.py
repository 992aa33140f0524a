"""Vendi score: how many different samples a set has (Friedman & Dieng, 2210.02410)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def vendi_score(features: Tensor) -> float:
    """Return exp(-sum_i l_i log l_i), where l_i are the eigenvalues of K / N (eq. 2).

    K is the N x N matrix of cosine similarities between the rows of ``features``. The score lies
    between 1 (all rows have the same direction) and min(N, d) (rows are orthogonal and equally
    frequent). The score grows with N, so compare only scores with equal N.

    The matrix X^T X / N of the N x d normalised features X has the same non-zero eigenvalues as
    K / N, and is much smaller. A row of zeros has no direction and contributes nothing.

    Args:
        features: N x d, one row per sample, on the CPU.
    """
    rows = F.normalize(features.double(), dim=1)
    weights = torch.linalg.eigvalsh(rows.T @ rows / len(rows)).clamp(min=0)
    return float(torch.special.entr(weights).sum().exp())
