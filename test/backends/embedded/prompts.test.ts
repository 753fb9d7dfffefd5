import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ModelPolicy } from '../../../src/policy/snapshot.ts';
import { writePrompt } from '../../../src/prompts/artifact-write.ts';
import { promptFromText } from '../../../src/prompts/from-text.ts';
import { openPromptRegistry } from '../../../src/prompts/registry.ts';
import type { PromptPosition } from '../../../src/prompts/soft-prompt.ts';
import { type BuiltTiny, buildTiny, collect, modelName, postJson } from '../../helpers/build.ts';
import { tinyModelDirectory } from '../../prompts/support/tiny.ts';

const TEXT = 'Be kind.';
const user = { role: 'user' as const, content: 'What is that?' };
const system = (content: string | { type: 'text'; text: string }[]) => ({ role: 'system' as const, content });
type Messages = (typeof user | ReturnType<typeof system>)[];

/** The text as a soft prompt, through the disk, as a server gets it. */
async function fromText(t: Test, position: PromptPosition): Promise<Partial<ModelPolicy>> {
  const target = { name: 'tiny/kind', version: '1.0.0', position, text: TEXT } as const;
  const { content, tensor } = await promptFromText(tinyModelDirectory, target);
  const root = join(t.testdir({ prompts: {} }), 'prompts');
  await writePrompt(root, content, tensor);
  const softPrompt = await (await openPromptRegistry([root])).resolve('tiny/kind').load();
  return { prompt: { kind: 'available', prompt: { ...target, softPrompt } } };
}

const unavailable = { kind: 'unavailable', reference: 'tiny/kind', reason: 'in /secret/place', text: TEXT } as const;

/** Tokens and logprobs of a greedy answer, whole and streamed. */
async function answer({ client }: BuiltTiny, messages: Messages) {
  const request = { model: modelName, messages, temperature: 0, max_tokens: 12, logprobs: true, top_logprobs: 3 };
  const whole = await client.chat.completions.create(request);
  const parts = await collect(await client.chat.completions.create({ ...request, stream: true }));
  return {
    promptTokens: whole.usage?.prompt_tokens,
    whole: whole.choices[0]?.logprobs?.content ?? [],
    streamed: parts.flatMap((part) => part.choices[0]?.logprobs?.content ?? []),
  };
}

type Answer = Awaited<ReturnType<typeof answer>>;

function same(t: Test, a: Answer, b: Answer, name: string): void {
  t.equal(a.promptTokens, b.promptTokens, name);
  t.ok(a.whole.length > 1, name);
  for (const [ours, theirs] of [
    [a.whole, b.whole],
    [a.streamed, b.streamed],
    [a.whole, a.streamed],
  ] as const) {
    t.strictSame(
      ours.map(({ token }) => token),
      theirs.map(({ token }) => token),
      name,
    );
    const differences = ours.map(({ logprob }, index) => Math.abs(logprob - (theirs[index]?.logprob ?? Number.NaN)));
    t.ok(Math.max(...differences) < 1e-4, `${name}: the largest difference is ${Math.max(...differences)}`);
  }
}

/** How a conversation under the prompt reads when the application writes the text itself. */
const conversations: [name: string, under: Messages, written: Messages][] = [
  ['no system message', [user], [system(TEXT), user]],
  ['a system message', [system('Be brief.'), user], [system(`${TEXT}\nBe brief.`), user]],
  [
    'a system message in parts',
    [
      system([
        { type: 'text', text: 'Be' },
        { type: 'text', text: 'brief.' },
      ]),
      user,
    ],
    [system(`${TEXT}\nBe\nbrief.`), user],
  ],
];

t.test('a prompt made from a text gives the answers of the text, streamed and not', async (t) => {
  const plain = await buildTiny(t);
  for (const [name, messages, written] of conversations) {
    await t.test(name, async (t) => {
      const policy = await fromText(t, 'system');
      await t.test('over the wire', async (t) => {
        const gateway = await buildTiny(t, { policy });
        const got = await answer(gateway, messages);
        same(t, got, await answer(plain, written), name);
        const response = await postJson(`${gateway.origin}/v1/chat/completions`, {
          model: modelName,
          messages,
          max_tokens: 1,
        });
        t.equal(response.headers.get('x-preamble-prompt'), 'tiny/kind@1.0.0');
        t.match(await response.json(), { usage: { prompt_tokens_details: { cached_tokens: Number } } });
      });
    });
  }
});

t.test('for the first user message, and in a raw prompt, it stands at the head', async (t) => {
  const plain = await buildTiny(t);
  const policy = await fromText(t, 'user');
  await t.test('over the wire', async (t) => {
    const gateway = await buildTiny(t, { policy });
    const written = { role: 'user' as const, content: `${TEXT}\n${user.content}` };
    same(t, await answer(gateway, [system('S'), user]), await answer(plain, [system('S'), written]), 'chat');

    const raw = { model: modelName, temperature: 0, max_tokens: 8 };
    const text = await gateway.client.completions.create({ ...raw, prompt: ' that is' });
    t.match(
      text,
      await plain.client.completions.create({ ...raw, prompt: `${TEXT} that is` }).then(({ choices }) => ({ choices })),
    );
  });
});

t.test('where the prompt is not available, what the settings say happens', async (t) => {
  const plain = await buildTiny(t);
  await t.test('its text', async (t) => {
    const gateway = await buildTiny(t, { policy: { prompt: unavailable, onPromptUnavailable: 'text' } });
    for (const [name, messages, written] of conversations) {
      same(t, await answer(gateway, messages), await answer(plain, written), name);
    }
    t.match(gateway.decisions()[0], { prompt: null, variant: 'off' });
  });
  await t.test('nothing', async (t) => {
    const gateway = await buildTiny(t, { policy: { prompt: unavailable, onPromptUnavailable: 'none' } });
    same(t, await answer(gateway, [user]), await answer(plain, [user]), 'as if there were none');
  });
  await t.test('a refusal', async (t) => {
    const gateway = await buildTiny(t, { policy: { prompt: unavailable, onPromptUnavailable: 'refuse' } });
    const response = await postJson(`${gateway.origin}/v1/chat/completions`, { model: modelName, messages: [user] });
    t.equal(response.status, 503);
    t.equal(response.headers.get('x-should-retry'), 'false', 'it does not pass by itself');
    const text = await response.text();
    t.match(JSON.parse(text), {
      error: { code: 'prompt_unavailable', message: /safety prompt of .* is not available/ },
    });
    t.notMatch(text, 'secret', 'the reason is the operator’s');
  });
});
