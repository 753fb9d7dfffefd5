import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import pino from 'pino';
import type { Test } from 'tap';
import { createApp } from '../../src/app.ts';
import type { Config } from '../../src/config/schema.ts';
import { loadConfig } from '../../src/config.ts';
import { createGateway, type LiveGateway, prepare } from '../../src/startup/live-gateway.ts';
import { tinyChatModel } from './tiny-model.ts';

export interface Live {
  readonly gateway: LiveGateway;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly directory: string;
  /** The settings as `preamble.yaml` of that directory would give them. */
  config(yaml: string): Promise<Config>;
  readonly logs: Record<string, unknown>[];
}

/** A gateway as `preamble serve` makes it, on the tiny model in `./model`, ready to answer; the test's end closes it. */
export async function live(t: Test, yaml: string, files: Record<string, object> = {}): Promise<Live> {
  const directory = t.testdir({ model: await tinyChatModel(), prompts: {}, ...files });
  const config = async (text: string) => {
    const file = join(directory, 'preamble.yaml');
    await writeFile(file, text);
    return (await loadConfig({ file, environment: {} })).config;
  };
  const logs: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(line, _encoding, done) {
      logs.push(JSON.parse(String(line)));
      done();
    },
  });
  const logger = pino({ level: 'info' }, destination);
  const gateway = createGateway(await prepare(await config(yaml)), logger, () => {});
  const app = await createApp(gateway, logger);
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(async () => {
    await app.close();
    await gateway.close();
  });
  await gateway.readiness.begin();
  return { gateway, origin, directory, config, logs };
}
