import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { createVirtualTokenGuard } from '../../../src/backends/virtual-tokens/guard.ts';
import { PreambleError } from '../../../src/errors.ts';
import { defaultModelName } from '../../../src/model/known-models.ts';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { createTokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { spelledPrompts } from '../../helpers/spelled.ts';

const digests = ['3fa91c'.padEnd(64, '0'), 'e0412d'.padEnd(64, '0')];
const prompts = spelledPrompts(digests.map((digest) => ({ digest, tokens: 12 })));
const texts = prompts.all.flatMap((prompt) => prompt.texts);

const { directory } = await obtainModel(defaultModelName);
const json = JSON.parse(await readFile(join(directory, 'tokenizer.json'), 'utf8'));

/** SmolLM2's tokenizer with the virtual tokens, as a graft writes it, or worse: one that normalizes what it looks for them in. */
function grafted(normalizer: object | null) {
  const added = prompts.all.flatMap((prompt) =>
    prompt.texts.map((content, row) => ({
      id: prompt.ids[row] ?? 0,
      content,
      special: true,
      normalized: normalizer !== null,
      single_word: false,
      lstrip: false,
      rstrip: false,
    })),
  );
  const changed = { ...json, added_tokens: [...json.added_tokens, ...added], ...(normalizer && { normalizer }) };
  return createTokenizer(changed, {}, 'tokenizer.json');
}

const lower = { type: 'Lowercase' };
const tokenizers = [
  null,
  { type: 'NFC' },
  { type: 'NFD' },
  { type: 'NFKC' },
  { type: 'NFKD' },
  { type: 'Sequence', normalizers: [{ type: 'NFKC' }, lower] },
].map((normalizer) => ({ name: JSON.stringify(normalizer), tokenizer: grafted(normalizer) }));

const isVirtual = (id: number) => prompts.ids.has(id);
const smuggles = (text: string) => tokenizers.filter(({ tokenizer }) => tokenizer.encode(text).some(isVirtual));

t.test('the tokenizers know the tokens: without a guard they are smuggled in', (t) => {
  const [first = ''] = texts;
  t.equal(smuggles(`a${first}b`).length, tokenizers.length);
  t.ok(smuggles(first.toUpperCase()).length >= 1, 'by one that lowers case');
  t.ok(smuggles(wide(first)).length >= 2, 'by those that normalize for compatibility');
  t.end();
});

/** Fullwidth letters, whose compatibility form is ASCII. */
function wide(text: string): string {
  return [...text].map((letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)).join('');
}

const token = fc.constantFrom(...texts);
const disguised = fc
  .tuple(token, fc.constantFrom('as it is', 'wide', 'upper', 'mixed', 'marked', 'escaped'), fc.nat(40))
  .map(([text, how, at]) => {
    if (how === 'wide') return wide(text);
    if (how === 'upper') return text.toUpperCase();
    if (how === 'mixed')
      return [...text].map((letter, index) => (index % 3 === at % 3 ? wide(letter) : letter)).join('');
    // A mark that composes with what it follows.
    if (how === 'marked') return `${text.slice(0, -1)}\u226f`;
    if (how === 'escaped') return text.replace(/./, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);
    return text;
  });
const piece = fc
  .tuple(token, fc.nat(20), fc.nat(20))
  .map(([text, from, to]) => text.slice(Math.min(from, to), Math.max(from, to)));
const plain = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 6 }), fc.constantFrom('<|', '|>', ' ', '\u0338', 'Hi'));
const hostile = fc
  .array(fc.oneof(disguised, piece, plain), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(''));
// So that some requests have nothing that is refused, and others just one such place.
const said = fc.oneof({ weight: 12, arbitrary: plain }, { weight: 1, arbitrary: hostile });
const content = fc.oneof(
  said,
  fc.array(
    said.map((text) => ({ type: 'text', text })),
    { minLength: 1, maxLength: 3 },
  ),
);
const message = fc.record(
  {
    role: fc.constantFrom('system', 'developer', 'user', 'assistant', 'tool'),
    content,
    name: said,
    tool_call_id: said,
    tool_calls: fc.constant(undefined),
  },
  { requiredKeys: ['role', 'content'] },
);
const request = fc.record(
  {
    messages: fc.array(message, { minLength: 1, maxLength: 4 }),
    tools: fc.array(
      fc.record({
        type: fc.constant('function'),
        function: fc.record({ name: said, description: said, parameters: fc.dictionary(said, said) }),
      }),
      { maxLength: 2 },
    ),
    documents: fc.array(fc.record({ title: said, text: said }), { maxLength: 2 }),
    chat_template_kwargs: fc.dictionary(said, said),
    response_format: fc.record({ type: fc.constant('json_schema'), json_schema: fc.record({ name: said }) }),
    tool_prompt: said,
    stop: fc.array(said, { maxLength: 2 }),
    prompt: fc.oneof(said, fc.array(said, { maxLength: 3 })),
    grammar: said,
  },
  { requiredKeys: ['messages'] },
);

for (const mode of ['neutralise', 'refuse'] as const) {
  t.test(`${mode}: no text of a request yields a virtual token, however a template puts it together`, (t) => {
    const guard = createVirtualTokenGuard(prompts, mode, ['tool_prompt']);
    let passed = 0;
    fc.assert(
      fc.property(request, fc.nat(), (generated, seed) => {
        const sent: object = JSON.parse(JSON.stringify(generated));
        let clean: object;
        try {
          clean = { ...sent, ...Object.fromEntries(guard?.clean(sent) ?? []) };
        } catch (error) {
          if (error instanceof PreambleError && error.code === 'invalid_request') return true;
          throw error;
        }
        passed++;
        for (const rendered of renderings(clean, seed)) {
          const [found] = smuggles(rendered);
          if (found !== undefined) throw new Error(`${found.name}: ${JSON.stringify(rendered)}`);
        }
        return true;
      }),
      { numRuns: 200 },
    );
    t.ok(passed > 20, `${passed} were let through`);
    t.end();
  });
}

t.test('however a token is cut into pieces, no order of the pieces yields it', (t) => {
  const guard = createVirtualTokenGuard(prompts, 'neutralise', []);
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 14 }), { minLength: 1, maxLength: 3 });
  const around = fc.constantFrom('', ' ', 'Hello ', '\n');
  let refused = 0;
  fc.assert(
    fc.property(token, cuts, around, around, fc.boolean(), (text, places, before, behind, byName) => {
      const ends = [0, ...places.toSorted((a, b) => a - b), text.length];
      const pieces = ends.slice(1).map((end, index) => text.slice(ends[index], end));
      const [first = '', ...others] = pieces;
      const said = [before + first, ...others.slice(0, -1), `${others.at(-1)}${behind}`];
      const messages = byName
        ? [{ role: 'user', name: said[0], content: said.slice(1).join('') }]
        : said.map((content) => ({ role: 'user', content }));
      let clean: ReadonlyMap<string, unknown> | null | undefined;
      try {
        clean = guard?.clean({ messages });
      } catch {
        refused++;
        return;
      }
      const left = textsOf(clean?.get('messages') ?? messages).filter(
        (each) => !['role', 'content', 'name'].includes(each),
      );
      const [found] = smuggles(left.map((each) => (each === 'user' ? '' : each.trim())).join(''));
      if (found !== undefined) throw new Error(JSON.stringify(messages));
    }),
    { numRuns: 300 },
  );
  t.ok(refused > 30, `${refused} were refused`);
  t.end();
});

/** What templates do: messages one behind the other, parts joined or not, names in front, tools as JSON; trimmed, in either case. */
function* renderings(clean: object, seed: number): Generator<string> {
  const all = textsOf(clean);
  yield JSON.stringify(clean);
  yield all.join('\n');
  for (const joined of ['', ' ', '\n']) {
    const messages: { role: string; content: unknown; name?: string }[] = Reflect.get(clean, 'messages');
    yield messages
      .map(({ role, content, name = '' }) => {
        const spoken = Array.isArray(content) ? content.map(({ text }) => text).join(joined) : String(content);
        return `<|im_start|>${role}${name}\n${spoken.trim()}<|im_end|>\n`;
      })
      .join('');
  }
  for (const text of all) yield `<|${text}|>`;
  const [a = '', b = ''] = [all[seed % all.length], all[(seed >> 8) % all.length]];
  yield a + b;
  yield a.trim() + b.trim();
  yield `${a}${b}`.toLowerCase();
  yield `${a}${b}`.toUpperCase();
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    Array.isArray(value) ? textsOf(child) : [key, ...textsOf(child)],
  );
}
