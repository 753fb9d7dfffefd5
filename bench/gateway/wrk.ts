import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runPinned } from './processes.ts';

export interface WrkRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A file that holds the body. */
  readonly bodyFile: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface WrkFigures {
  readonly perSecond: number;
  readonly failed: number;
  readonly p50: number;
  readonly p99: number;
}

/** What wrk runs; JSON's strings are Lua's. */
function script({ headers, bodyFile }: WrkRequest): string {
  const lines = Object.entries({ 'content-type': 'application/json', ...headers }).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  return `wrk.method = "POST"
${lines.join('\n')}
local file = io.open(${JSON.stringify(bodyFile)}, "rb")
wrk.body = file:read("*a")
file:close()
done = function(summary, latency)
  local e = summary.errors
  print(string.format('{"perSecond":%.3f,"failed":%d,"p50":%.3f,"p99":%.3f}', summary.requests / summary.duration * 1e6,
    e.connect + e.read + e.write + e.timeout + e.status, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`;
}

/** As many requests as come through, from the load core. */
export async function runWrk(request: WrkRequest, folder: string): Promise<WrkFigures> {
  const file = join(folder, 'wrk.lua');
  await writeFile(file, script(request));
  const { connections, seconds, url } = request;
  const output = await runPinned('wrk', [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--timeout',
    '20s',
    '-s',
    file,
    url,
  ]);
  return JSON.parse(output.split('\n').findLast((line) => line.startsWith('{')) ?? '{}');
}
