import { PreambleError } from '../../errors.ts';

/**
 * How far a request may bend the model's choice. The output rows of a graft hold virtual tokens below every real one, by a margin that was
 * measured; what divides, multiplies or reverses logits without bound would use it up. Some servers have no bounds of their own.
 */
const BOUNDS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  temperature: [0, 2],
  presence_penalty: [-2, 2],
  frequency_penalty: [-2, 2],
  // Below 1 it lifts tokens of the prompt, the virtual ones among them.
  repetition_penalty: [1, 100],
  repeat_penalty: [1, 100],
  // With the temperature above it, that is one more temperature.
  dynatemp_range: [0, 1],
  dry_multiplier: [0, 100],
};
/** Words that may not be said: with every token among them, the virtual ones would be left. */
const MAX_WORDS = 1024;

/** Throws `invalid_request`. */
export function assertBoundedSampling(request: object): void {
  for (const [name, [least, most]] of Object.entries(BOUNDS)) {
    const value: unknown = Reflect.get(request, name);
    if (value === undefined || value === null) continue;
    // A number in a text is one to many servers.
    if (typeof value === 'number' && value >= least && value <= most) continue;
    throw new PreambleError('invalid_request', `Invalid '${name}': must be a number from ${least} to ${most} here.`, {
      param: name,
    });
  }
  const words: unknown = Reflect.get(request, 'bad_words');
  if (Array.isArray(words) && words.length > MAX_WORDS) {
    throw new PreambleError('invalid_request', `Invalid 'bad_words': must be at most ${MAX_WORDS} here.`, {
      param: 'bad_words',
    });
  }
}
