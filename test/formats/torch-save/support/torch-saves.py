"""Saves random matrices into the folder that is named, and prints what they are: one line of JSON a file.

Needs only torch: python torch-saves.py FOLDER
"""

import json
import sys
from pathlib import Path

import torch

folder = Path(sys.argv[1])
NAMES = {torch.bfloat16: "BF16", torch.float16: "F16", torch.float32: "F32"}
for number, dtype in enumerate(NAMES):
    for rows, columns in [(1, 1), (1, 64), (3, 5), (70, 1000)]:
        tensor = torch.randn(rows, columns).to(dtype)
        for kind, value in {"bare": tensor, "dict": {"soft_prompt": tensor}}.items():
            path = folder / f"{number}-{rows}x{columns}-{kind}.pt"
            torch.save(value, path)
            bits = bytes(tensor.view(torch.uint8).flatten().tolist()).hex()
            print(json.dumps({"path": str(path), "name": "soft_prompt" if kind == "dict" else None, "dtype": NAMES[dtype], "shape": [rows, columns], "bits": bits}))
