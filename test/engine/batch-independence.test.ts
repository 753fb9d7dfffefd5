import t from 'tap';
import { collect, generationRequest, greedy, never, startDefaultEngine } from '../helpers/default-engine.ts';

t.test('the same seed gives the same answer, whatever else is in the batch', async (t) => {
  const { engine, tokenizer } = await startDefaultEngine();
  t.teardown(() => engine.close());
  const ask = (text: string, seed: number, maxTokens: number) =>
    collect(
      engine.generate(
        generationRequest({
          prompt: [{ tokens: tokenizer.encode(text) }],
          sampling: { ...greedy, temperature: 1, seed },
          maxTokens,
          ignoreEos: true,
        }),
        never,
      ),
    );
  const alone = await ask('The river was', 7, 80);
  const other = await ask('The river was', 8, 80);
  t.not(other.text, alone.text, 'another seed gives another answer');

  // Neighbours of other lengths join and leave while it runs, and make the cache grow and its rows move.
  const long = 'It is a truth universally acknowledged. '.repeat(30);
  const [before, , , , again] = await Promise.all([
    ask('Once upon a time', 1, 20),
    ask(long, 2, 90),
    ask('1 2 3 4', 3, 5),
    ask(long.slice(0, 500), 4, 60),
    ask('The river was', 7, 80),
    ask('A poem:', 5, 33),
    ask('Tomorrow', 6, 90),
  ]);
  t.equal(again.text, alone.text);
  t.equal((await ask('Once upon a time', 1, 20)).text, before.text);
});
