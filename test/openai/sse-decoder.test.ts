import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { DONE_EVENT, encodeEvent, KEEP_ALIVE_COMMENT } from '../../src/openai/sse.ts';
import { createSseDecoder, readServerSentEvents, type ServerSentEvent } from '../../src/openai/sse-decoder.ts';

const utf8 = new TextEncoder();

function decode(...pieces: (string | Uint8Array)[]): ServerSentEvent[] {
  const decoder = createSseDecoder();
  return pieces.flatMap((piece) => decoder.push(typeof piece === 'string' ? utf8.encode(piece) : piece));
}

const message = (data: string) => ({ event: 'message', data });

t.test('what is encoded here is decoded, with [DONE] and comments between', async (t) => {
  const stream = encodeEvent({ text: 'a\nb\r\n"c"  ' }) + KEEP_ALIVE_COMMENT + DONE_EVENT;
  t.strictSame(decode(stream), [message('{"text":"a\\nb\\r\\n\\"c\\"  "}'), message('[DONE]')]);
});

t.test('lines end with LF, CR or CRLF, even across pieces', async (t) => {
  t.strictSame(decode('data: a\r\n\r\ndata: b\r\rdata: c\n\n'), [message('a'), message('b'), message('c')]);
  t.strictSame(decode('data: a\r', '\n', '\r', '\ndata: b\n\n'), [message('a'), message('b')]);
});

t.test('several data lines, other fields, names, and one optional space', async (t) => {
  t.strictSame(decode('event: error\nid: 7\nretry: 5\ndata:  two spaces\ndata:none\ndata\n\n'), [
    { event: 'error', data: ' two spaces\nnone\n' },
  ]);
  t.strictSame(decode('event: lost\n\ndata: x\n\n'), [message('x')], 'a name without data is forgotten');
});

t.test('a byte order mark is skipped, and an event that nothing ends is dropped', async (t) => {
  t.strictSame(decode('\u{FEFF}data: a\n\ndata: unfinished\n'), [message('a')]);
});

t.test('characters cut in two arrive whole; malformed bytes become U+FFFD', async (t) => {
  const bytes = utf8.encode('data: 🚦\n\n');
  t.strictSame(decode(bytes.subarray(0, 8), bytes.subarray(8)), [message('🚦')]);
  t.strictSame(decode(Uint8Array.of(...utf8.encode('data: '), 0xff, 10, 10)), [message('\u{FFFD}')]);
});

t.test('however the bytes are cut, the events are the same', async (t) => {
  const lines = fc.constantFrom(
    'data: ü🚦',
    'data:x',
    'data',
    ': note',
    'event: e',
    'id: 1',
    'nonsense',
    '',
    '',
    '\u{FEFF}data: y',
  );
  const stream = fc.array(fc.tuple(lines, fc.constantFrom('\n', '\r', '\r\n')), { maxLength: 30 });
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(stream, sizes, (all, lengths) => {
        const bytes = utf8.encode(all.flat().join(''));
        const pieces: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const length = lengths[i % lengths.length] ?? 1;
          pieces.push(bytes.subarray(at, at + length));
          at += length;
        }
        return isDeepStrictEqual(decode(...pieces), decode(bytes));
      }),
      { numRuns: 1000 },
    ),
  );
});

t.test('any bytes at all are read without a throw', async (t) => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.array(fc.uint8Array()), (pieces) => Array.isArray(decode(...pieces)))));
});

t.test('any JSON survives the way there and back', async (t) => {
  const texts = fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { minLength: 1, maxLength: 5 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(texts, (all) => {
        const events = decode(all.map((text) => encodeEvent({ text })).join(''));
        const back: unknown = events.map((event) => JSON.parse(event.data));
        return isDeepStrictEqual(
          back,
          all.map((text) => ({ text })),
        );
      }),
    ),
  );
});

t.test('an event longer than the limit is refused, many short ones are not', async (t) => {
  const decoder = createSseDecoder(100);
  for (let i = 0; i < 50; i++) decoder.push(utf8.encode('data: 0123456789\n\n'));
  t.throws(
    () => {
      for (let i = 0; i < 50; i++) decoder.push(utf8.encode('data: 0123456789\n'));
    },
    { code: 'format_invalid' },
  );
});

t.test('a long line in many small pieces costs linear time', async (t) => {
  const decoder = createSseDecoder();
  const piece = utf8.encode('x'.repeat(16));
  const start = performance.now();
  decoder.push(utf8.encode('data: '));
  for (let i = 0; i < 300_000; i++) decoder.push(piece);
  t.equal(decoder.push(utf8.encode('\n\n'))[0]?.data.length, 4_800_000);
  t.ok(performance.now() - start < 5_000);
});

t.test('a body is read as events', async (t) => {
  async function* body() {
    yield utf8.encode('data: a\n');
    yield utf8.encode('\ndata: b\n\n');
  }
  const events: ServerSentEvent[] = [];
  for await (const event of readServerSentEvents(body())) events.push(event);
  t.strictSame(events, [message('a'), message('b')]);
});
