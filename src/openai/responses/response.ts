import type { ResponsesRequest } from './request.ts';
import type { TextFormat } from './text-format.ts';
import type { FunctionTool, ToolChoice } from './tools.ts';

export interface TokenProbability {
  token: string;
  /** UTF-8. */
  bytes: number[];
  logprob: number;
}

export interface TokenLogprob extends TokenProbability {
  top_logprobs: TokenProbability[];
}

export interface OutputText {
  type: 'output_text';
  text: string;
  annotations: never[];
  logprobs: TokenLogprob[];
}

export interface OutputRefusal {
  type: 'refusal';
  refusal: string;
}

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export interface MessageItem {
  id: string;
  type: 'message';
  status: ItemStatus;
  role: 'assistant';
  content: (OutputText | OutputRefusal)[];
}

export interface FunctionCallItem {
  id: string;
  type: 'function_call';
  status: ItemStatus;
  name: string;
  arguments: string;
  call_id: string;
}

export type OutputItem = MessageItem | FunctionCallItem;

export interface ResponseUsage {
  input_tokens: number;
  input_tokens_details: { cached_tokens: number; cache_write_tokens: number };
  output_tokens: number;
  output_tokens_details: { reasoning_tokens: number };
  total_tokens: number;
}

export interface ResponseFault {
  code: 'server_error' | 'rate_limit_exceeded';
  message: string;
}

/**
 * OpenAI's Response object. It has no `output_text`: that is put together by the client libraries, from the parts of type `output_text`.
 * What the request left to the server is null, as only the server behind knows it.
 */
export interface ResponseObject {
  id: string;
  object: 'response';
  /** Seconds since 1970. */
  created_at: number;
  completed_at: number | null;
  status: 'in_progress' | 'completed' | 'incomplete' | 'failed';
  background: false;
  error: ResponseFault | null;
  incomplete_details: { reason: 'max_output_tokens' | 'content_filter' } | null;
  instructions: string | null;
  max_output_tokens: number | null;
  metadata: { [key: string]: string };
  model: string;
  output: OutputItem[];
  parallel_tool_calls: boolean;
  previous_response_id: string | null;
  prompt_cache_key: string | null;
  reasoning: { effort: string | null; summary: null };
  safety_identifier: string | null;
  /** Whether it can be shown again and gone on from. */
  store: boolean;
  temperature: number | null;
  text: { format: TextFormat };
  tool_choice: ToolChoice;
  tools: FunctionTool[];
  top_logprobs: number;
  top_p: number | null;
  truncation: 'disabled';
  usage?: ResponseUsage;
  user?: string;
}

/** The response to a request before anything of it is known. */
export function newResponse(asked: ResponsesRequest, id: string, store: boolean): ResponseObject {
  const { fields, tools, toolChoice, format } = asked;
  return {
    id,
    object: 'response',
    created_at: nowInSeconds(),
    completed_at: null,
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: fields.instructions ?? null,
    max_output_tokens: fields.max_output_tokens ?? null,
    metadata: fields.metadata ?? {},
    model: fields.model,
    output: [],
    parallel_tool_calls: fields.parallel_tool_calls ?? true,
    previous_response_id: fields.previous_response_id ?? null,
    prompt_cache_key: fields.prompt_cache_key ?? null,
    reasoning: { effort: fields.reasoning?.effort ?? null, summary: null },
    safety_identifier: fields.safety_identifier ?? null,
    store,
    temperature: fields.temperature ?? null,
    text: { format },
    tool_choice: toolChoice,
    tools: [...tools],
    top_logprobs: fields.top_logprobs ?? 0,
    top_p: fields.top_p ?? null,
    truncation: 'disabled',
    ...(fields.user === undefined ? {} : { user: fields.user }),
  };
}

export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
