import type { ChatRequest } from '../../openai/chat.ts';
import type { TextRequest } from '../../openai/completions.ts';
import type { Plan } from '../../policy/plan.ts';
import { chatBody } from '../upstream/chat-body.ts';
import type { CleanBody } from '../upstream/clean-body.ts';
import type { RequestText, Target, Wire } from '../upstream/dialect.ts';
import type { LocalModel } from '../upstream/local-model.ts';
import { refusedField } from '../upstream/refused-fields.ts';
import { textFront } from '../upstream/text-front.ts';
import type { Ban } from './ban.ts';
import { checkGraftOn } from './check.ts';
import { assertGrafted, type SpelledPrompts, spelledFor } from './graft.ts';
import { createVirtualTokenGuard } from './guard.ts';
import { type RawFront, rawBody } from './raw-body.ts';
import { assertBoundedSampling } from './sampling-bounds.ts';

export interface VirtualTokenWireOptions {
  readonly prompts: SpelledPrompts;
  readonly local: LocalModel | null;
  readonly controlTokens: 'neutralise' | 'refuse';
  /** Fields, besides those that all have, of which this kind of server puts text before the model. */
  readonly readFields: readonly string[];
  /** Null for none. */
  readonly ban: Ban | null;
}

/** The soft prompt as the tokens that a grafted model has for its rows, spelled in the request's text. */
export function createVirtualTokenWire(options: VirtualTokenWireOptions): Wire {
  const { prompts, local, controlTokens, readFields, ban } = options;
  const beginning = local?.tokenizer.encode('', { addSpecialTokens: true }) ?? [];

  /** The dialect's edits, and the ban. */
  const edits =
    ({ dialect }: Target, request: object, surface: 'chat' | 'completion') =>
    (text: RequestText) => [...dialect.edits(text, request, surface), ...(ban?.(text, request) ?? [])];

  const unknown = createVirtualTokenGuard(prompts, controlTokens, 'all');

  return {
    local,
    guard: createVirtualTokenGuard(prompts, controlTokens, readFields),
    handedOnGuard: unknown && {
      clean(request) {
        assertBoundedSampling(request);
        return unknown.clean(request);
      },
    },
    chat({ bytes, request }: CleanBody<ChatRequest>, plan, target) {
      assertBoundedSampling(request);
      const spelled = spelledFor(prompts, plan);
      const text = spelled?.spelled ?? plan.fallbackText;
      const place = local?.systemRole === false ? 'user' : (spelled?.position ?? 'system');
      const front = text === null ? null : frontOf(text);
      const body = chatBody(bytes, request, {
        model: target.model,
        front,
        place,
        edits: edits(target, request, 'chat'),
      });
      return { path: '/v1/chat/completions', body, read: (answer) => answer };
    },
    completion({ bytes, request }: CleanBody<TextRequest>, plan, target) {
      assertBoundedSampling(request);
      const front = rawFront(prompts, plan);
      if (front !== null && Reflect.get(request, 'echo') === true) {
        throw refusedField('echo', 'it would show the safety prompt');
      }
      return {
        path: '/v1/completions',
        body: rawBody(bytes, request, {
          model: target.model,
          front,
          beginning,
          edits: edits(target, request, 'completion'),
        }),
      };
    },
    assertFits({ label, digest }) {
      assertGrafted(prompts, label, digest);
      return 'sameEmbeddings';
    },
    check: (context, prompt) => checkGraftOn({ ...context, prompts, local }, prompt),
  };
}

const fronts = new Map<string, ReturnType<typeof textFront>>();

/** Made once for each text: some kilobytes, spliced into every request as they are. */
function frontOf(text: string): ReturnType<typeof textFront> {
  const known = fronts.get(text) ?? textFront(text);
  fronts.set(text, known);
  return known;
}

/** As the embedded engine has it: nothing between a soft prompt and a raw prompt, a line feed behind its text. */
function rawFront(prompts: SpelledPrompts, plan: Plan): RawFront | null {
  const spelled = spelledFor(prompts, plan);
  if (spelled !== null) return { text: spelled.spelled, ids: spelled.ids };
  return plan.fallbackText === null ? null : { text: `${plan.fallbackText}\n`, ids: null };
}
