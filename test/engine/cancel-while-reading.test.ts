import t from 'tap';
import type { Decoder } from '../../src/engine/decoder/decoder.ts';
import type { FromWorker } from '../../src/engine/messages.ts';
import { createScheduler } from '../../src/engine/scheduler.ts';
import { generationRequest } from '../helpers/default-engine.ts';

t.test('a request that is cancelled while the last of its prompt is read is not answered', async (t) => {
  const messages: FromWorker[] = [];
  let onStep = () => {};
  // It computes nothing: what is looked at is who is asked for.
  const decoder: Decoder = {
    shape: { layers: 1, kvHeads: 1, headDim: 1 },
    hiddenSize: 1,
    vocabSize: 4,
    contextLength: 64,
    eosTokenIds: new Set(),
    embed: () => {},
    async step({ batch }) {
      onStep();
      await new Promise(setImmediate);
      return new Float32Array(batch * 4);
    },
    async close() {},
  };
  const scheduler = createScheduler(
    decoder,
    1,
    (message) => messages.push(message),
    async () => {},
  );
  const gone = generationRequest({ prompt: [{ tokens: [1] }], maxTokens: 50 });
  const next = generationRequest({ prompt: [{ tokens: [2] }], maxTokens: 3 });
  onStep = () => {
    scheduler.cancel(gone.id);
    onStep = () => {};
  };
  scheduler.add(gone);
  scheduler.add(next);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await scheduler.close();
  const told = messages.flatMap((message) => (message.type === 'step' ? message.tokens.map(({ id }) => id) : []));
  t.strictSame(told, [next.id, next.id, next.id]);
});
