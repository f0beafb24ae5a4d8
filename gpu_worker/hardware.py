"""CPU capabilities. Imported only by the engine: needs torch."""

from __future__ import annotations

import torch


def cpu_has_bfloat16() -> bool:
    """Return whether the CPU supports bfloat16; emulated, it would be slower than float32."""
    return torch.backends.cpu.get_cpu_capability() == "AVX512" and bool(torch.cpu._is_avx512_bf16_supported())
