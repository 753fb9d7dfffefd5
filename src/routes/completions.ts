import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { completionShape } from '../openai/answer-shape.ts';
import { parseTextRequest, type TextRequest } from '../openai/completions.ts';
import { completionStart } from '../openai/conversation-start.ts';
import { listPrompts } from '../openai/list-prompts.ts';
import { type ReadCompletion, readCompletion } from '../openai/read-answer.ts';
import { answering, type Surface } from './answering.ts';
import type { Watch } from './watch.ts';

const completionSurface: Surface<TextRequest, ReadCompletion, ReadCompletion> = {
  operation: 'text_completion',
  shape: completionShape,
  parse: parseTextRequest,
  countChoices: (request) => (request.n ?? 1) * listPrompts(request.prompt).length,
  content: (request) => request.prompt,
  conversation: completionStart,
  call: (backend, call) => backend.completion(call),
  readWhole: readCompletion,
  readPart: readCompletion,
  watchWhole: watchChoices,
  watchPart: watchChoices,
};

function watchChoices(part: ReadCompletion, watch: Watch): void {
  for (const { index, text, finish_reason } of part.choices) {
    watch.text(index, text);
    if (finish_reason) watch.finish(index, finish_reason);
  }
}

export async function completionRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  app.post('/v1/completions', answering(gateway, completionSurface));
}
