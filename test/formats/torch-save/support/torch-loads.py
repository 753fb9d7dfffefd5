"""Loads each file that is named, and prints what torch found: one line of JSON a file.

Needs only torch: python torch-loads.py FILE...
"""

import json
import sys

import torch

NAMES = {torch.bfloat16: "BF16", torch.float16: "F16", torch.float32: "F32"}

for path in sys.argv[1:]:
    tensor = torch.load(path, weights_only=True)
    mapped = torch.load(path, weights_only=True, mmap=True)
    bits = lambda found: bytes(found.view(torch.uint8).flatten().tolist()).hex()
    print(
        json.dumps(
            {
                "dtype": NAMES[tensor.dtype],
                "shape": list(tensor.shape),
                "stride": list(tensor.stride()),
                "requiresGrad": tensor.requires_grad,
                "bits": bits(tensor),
                "mappedBits": bits(mapped),
                "mappedOffset": mapped.data_ptr() % 64,
                "numbers": [repr(number) for number in tensor.double().flatten().tolist()],
            }
        )
    )
