/** `npm run bench -- NAME [--json] [FLAGS]`: runs one benchmark; without a name, lists them. */
const benchmarks: Readonly<Record<string, string>> = {
  engine: 'tokens/s of the embedded engine beside llama.cpp, batching, first token, start and memory',
  train: 'a training step beside PyTorch with the prefix in every row: time, memory, the same loss',
  graft: 'writing a grafted checkpoint beside cp, its memory, and the bytes of a request',
  metrics: 'what events and metrics cost a request, beside prom-client counting by labels itself',
  scale: 'processor time and Redis operations of a request with one to four gateways (--help)',
  vllm: 'requests/s of a real vLLM on the processor, the same prompt by virtual tokens and by prompt_embeds',
  gateway: 'requests/s, added latency and streams of the gateway beside nginx, http-proxy and Portkey (--help)',
};

const [name, ...flags] = process.argv.slice(2);
if (name === undefined || !(name in benchmarks)) {
  const list = Object.entries(benchmarks).map(([known, what]) => `  ${known.padEnd(10)} ${what}`);
  process.stderr.write(`usage: npm run bench -- NAME [--json]\n\n${list.join('\n')}\n`);
  process.exit(name === undefined ? 0 : 2);
}
const { run } = await import(`./${name}.ts`);
await run({ json: flags.includes('--json'), flags });
