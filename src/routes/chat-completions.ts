import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway.ts';
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  type ChatCompletionRequest,
  parseChatCompletionRequest,
} from '../openai/chat.ts';
import { answering, type Surface } from './answering.ts';

const chatSurface: Surface<ChatCompletionRequest, ChatCompletion, ChatCompletionChunk> = {
  parse: parseChatCompletionRequest,
  countChoices: (request) => request.n ?? 1,
  content: (request) => request.messages,
  call: (backend, call) => backend.chatCompletion(call),
  watchWhole(body, watch) {
    for (const { index, message, finish_reason } of body.choices) {
      if (message.content) watch.text(index, message.content);
      if (message.refusal) watch.refusal(index, message.refusal);
      if (message.tool_calls?.length) watch.toolCall(index);
      if (finish_reason !== null) watch.finish(index, finish_reason);
    }
  },
  watchPart(part, watch) {
    for (const { index, delta, finish_reason } of part.choices) {
      if (delta.content) watch.text(index, delta.content);
      if (delta.refusal) watch.refusal(index, delta.refusal);
      if (delta.tool_calls?.length) watch.toolCall(index);
      if (finish_reason !== null) watch.finish(index, finish_reason);
    }
  },
};

export async function chatCompletionRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  app.post('/v1/chat/completions', answering(gateway, chatSurface));
}
