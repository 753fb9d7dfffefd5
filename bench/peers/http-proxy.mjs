// `node http-proxy.mjs UPSTREAM PORT`: @fastify/http-proxy with its own defaults but for the number of connections, which its default of
// 128 would make a thousand streams wait for.
import proxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [upstream, port] = process.argv.slice(2);
const app = fastify();
await app.register(proxy, {
  upstream,
  undici: { connections: 2048, pipelining: 1, keepAliveTimeout: 60_000 },
});
await app.listen({ port: Number(port) });
process.on('SIGTERM', () => process.exit(0));
