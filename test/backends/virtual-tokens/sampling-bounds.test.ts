import t from 'tap';
import { assertBoundedSampling } from '../../../src/backends/virtual-tokens/sampling-bounds.ts';

t.test('what would use up the margin of the output rows is refused', async (t) => {
  const refused: object[] = [
    { temperature: 1e6 },
    { temperature: '1e6' },
    { temperature: -1 },
    { presence_penalty: -1000 },
    { frequency_penalty: -3 },
    { repetition_penalty: 0.001 },
    { repeat_penalty: 0.5 },
    { dynatemp_range: 50 },
    { dry_multiplier: -5 },
    { bad_words: Array.from({ length: 2000 }, (_, index) => `w${index}`) },
  ];
  for (const request of refused) {
    const [param] = Object.keys(request);
    t.throws(
      () => assertBoundedSampling(request),
      { code: 'invalid_request', param },
      JSON.stringify(request).slice(0, 60),
    );
  }
});

t.test('OpenAI’s own ranges are let through', async (t) => {
  t.doesNotThrow(() => {
    assertBoundedSampling({ temperature: 2, presence_penalty: -2, frequency_penalty: 2, repetition_penalty: 1.3 });
    assertBoundedSampling({ temperature: null, bad_words: ['no'] });
    assertBoundedSampling({});
  });
});
