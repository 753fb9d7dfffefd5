"""llama.cpp's server in this process, until its standard input ends: llama_cpp.py FILE.gguf PARALLEL. Its first line on stdout is the address."""

import sys

import xllamacpp

path, parallel = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = path
params.n_parallel = int(parallel)
params.n_ctx = 1024 * int(parallel)
params.cpuparams.n_threads = 2
params.cpuparams_batch.n_threads = 2
params.port = 0
params.warmup = False
params.use_jinja = True
server = xllamacpp.Server(params)
print(f"listening {server.listening_address}", flush=True)
sys.stdin.read()
