import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PreambleError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import type { ChatCompletionRequest, ChatMessage } from '../openai/chat.ts';
import { toErrorResponse } from '../openai/error-body.ts';
import { refuseClientEmbeddings } from '../openai/hostile.ts';
import { relayedParts } from '../openai/relayed-parts.ts';
import { inResponsesTerms } from '../openai/responses/chat-fault.ts';
import { readConversation, toState } from '../openai/responses/conversation.ts';
import { newResponseId } from '../openai/responses/ids.ts';
import { asPart, type ChatPart, readChatPart, readWholeChat, type WholeChat } from '../openai/responses/read-chat.ts';
import { parseResponsesRequest } from '../openai/responses/request.ts';
import { newResponse, type ResponseObject } from '../openai/responses/response.ts';
import { toChatRequest } from '../openai/responses/to-chat.ts';
import { type AnswerTranslation, translateAnswer } from '../openai/responses/translate-answer.ts';
import { failStream, logError } from '../plugins/errors.ts';
import { elapsedSince } from '../plugins/timing.ts';
import { type Begun, begin, type Surface, waitedFor } from './answering.ts';
import { chatSurface } from './chat-completions.ts';
import { guardedParts, guardedWhole } from './guarded.ts';
import { keptResponseRoutes } from './kept-responses.ts';
import { relayWhole } from './relay.ts';
import { sendResponseEvents } from './response-stream.ts';

/** The way of a chat request, with all of its answer read. */
const surface: Surface<ChatCompletionRequest, WholeChat, ChatPart> = {
  ...chatSurface,
  call: (backend, call) => backend.chatCompletion(call),
  readWhole: readWholeChat,
  readPart: readChatPart,
};

type BegunChat = Begun<ChatCompletionRequest, WholeChat, ChatPart>;

/** One request on its way. */
interface Exchange {
  readonly gateway: Gateway;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly conversation: readonly ChatMessage[];
  readonly translation: AnswerTranslation;
}

/** OpenAI's Responses API, in terms of chat completions: whatever holds for those (prompt, guards, decisions) holds here. */
export async function responseRoutes(app: FastifyInstance, { gateway }: { gateway: Gateway }): Promise<void> {
  app.post('/v1/responses', async (request, reply) => {
    refuseClientEmbeddings(request.body);
    const asked = parseResponsesRequest(request.body);
    const conversation = await readConversation(asked, gateway.responses, request.tenant.id);
    const chat = toChatRequest(asked, conversation);
    refuseClientEmbeddings(chat.request);
    const begun = await begin(gateway, surface, { request, reply, asked: chat.request, body: chat.body }).catch(
      (error: unknown) => {
        throw inResponsesTerms(error);
      },
    );
    const kept = gateway.responses !== null && asked.fields.store !== false;
    const translation = translateAnswer(newResponse(asked, newResponseId(), kept));
    const exchange = { gateway, request, reply, conversation, translation };
    try {
      if (asked.fields.stream !== true) return await answerWhole(exchange, begun);
      await answerInEvents(exchange, begun);
      return reply;
    } finally {
      begun.watch.end();
    }
  });

  await app.register(keptResponseRoutes, { gateway });
}

async function answerWhole(
  exchange: Exchange,
  { answer, watch, limitHeaders, surface, enforcing }: BegunChat,
): Promise<ResponseObject> {
  const { reply, translation } = exchange;
  let whole: WholeChat | null = null;
  if (answer.kind === 'whole') whole = answer.body;
  if (answer.kind === 'relayed' && !answer.events) {
    await watch.waiting(
      relayWhole(answer, (body) => {
        whole = surface.readWhole(body);
      }),
    );
    reply.headers({ ...passedOn(answer.headers), ...limitHeaders });
  }
  if (whole === null) throw noChatAnswer();
  if (whole.usage) watch.usage(whole.usage);
  surface.watchWhole(whole, watch);
  const instead = enforcing === null ? null : await guardedWhole(whole, surface, watch, enforcing);
  const told = instead === null ? whole : surface.readWhole(instead);
  if (told === null) throw noChatAnswer();
  translation.push(asPart(told));
  translation.close();
  return translation.end(await keep(exchange)).response;
}

function noChatAnswer(): PreambleError {
  return new PreambleError('upstream_invalid', 'The model server sent what is no chat answer.');
}

async function answerInEvents(
  exchange: Exchange,
  { answer, watch, limitHeaders, surface, enforcing }: BegunChat,
): Promise<void> {
  const { gateway, request, reply, translation } = exchange;
  if (answer.kind === 'whole' || (answer.kind === 'relayed' && !answer.events)) {
    throw new PreambleError('upstream_invalid', 'The model server did not stream.');
  }
  // As in chat completions: a tenant with limits of its own sees those.
  if (answer.kind === 'relayed') reply.headers({ ...passedOn(answer.headers), ...limitHeaders });
  reply.header('openai-processing-ms', elapsedSince(request.arrivedAt));
  const parts =
    enforcing === null
      ? waitedFor<unknown>(answer.kind === 'stream' ? answer.parts : relayedParts(answer.body), watch)
      : guardedParts(answer, { surface, watch, enforcing, wantsUsage: true });
  await sendResponseEvents(reply, parts, translation, {
    stalledClientSeconds: gateway.limits.stalledClientSeconds,
    silent: enforcing?.guarding.policy.holdsBack === true,
    waiting: watch.waiting,
    onError: (error) => failStream(error, request),
    onPart(part) {
      // Those were read before they were judged.
      if (enforcing !== null) return;
      if (part.usage) watch.usage(part.usage);
      surface.watchPart(part, watch);
    },
    end: async () => translation.end(await keep(exchange)),
  });
}

/** Whether the answer is kept. One that could not be is the client's all the same: it says `store: false`, and the log says why. */
async function keep({ gateway, request, conversation, translation }: Exchange): Promise<boolean> {
  const response = translation.response();
  if (gateway.responses === null || !response.store) return false;
  try {
    await gateway.responses.save(request.tenant.id, response.id, toState(response, conversation));
    return true;
  } catch (error) {
    logError(error, toErrorResponse(error).status, request);
    return false;
  }
}

/** The body is another one, in length and type. */
function passedOn(headers: Readonly<Record<string, string | string[]>>): Record<string, string | string[]> {
  const ours = new Set(['content-type', 'content-length', 'content-encoding']);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ours.has(name.toLowerCase())));
}
