"""What we make of the shipped results, a paragraph a question: how they differ from the paper, and what may explain it.

The numbers beside it are computed. This is written by hand and read again whenever the results change. Imports no
torch.
"""

from __future__ import annotations

from collections.abc import Mapping

DISCUSSION: Mapping[str, str] = {}
