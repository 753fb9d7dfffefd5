import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { chatShape } from '../openai/answer-shape.ts';
import { type ChatRequest, parseChatRequest } from '../openai/chat.ts';
import { chatStart } from '../openai/conversation-start.ts';
import { type ReadChat, type ReadChatChunk, readChat, readChatChunk } from '../openai/read-answer.ts';
import { answering, type Surface } from './answering.ts';

export const chatSurface: Surface<ChatRequest, ReadChat, ReadChatChunk> = {
  operation: 'chat',
  shape: chatShape,
  parse: parseChatRequest,
  countChoices: (request) => request.n ?? 1,
  content: (request) => request.messages,
  conversation: chatStart,
  call: (backend, call) => backend.chatCompletion(call),
  readWhole: readChat,
  readPart: readChatChunk,
  watchWhole(body, watch) {
    for (const { index, message, finish_reason } of body.choices) {
      if (message.content) watch.text(index, message.content);
      if (message.refusal) watch.refusal(index, message.refusal);
      if (message.tool_calls?.length) watch.toolCall(index);
      if (finish_reason) watch.finish(index, finish_reason);
    }
  },
  watchPart(part, watch) {
    for (const { index, delta, finish_reason } of part.choices) {
      if (delta.content) watch.text(index, delta.content);
      if (delta.refusal) watch.refusal(index, delta.refusal);
      if (delta.tool_calls?.length) watch.toolCall(index);
      if (finish_reason) watch.finish(index, finish_reason);
    }
  },
};

export async function chatCompletionRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  app.post('/v1/chat/completions', answering(gateway, chatSurface));
}
