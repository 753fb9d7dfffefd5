import { PreambleError } from '../errors.ts';
import { isObject } from './validate.ts';
import { pathOf, walkJson } from './walk-json.ts';

/** Fields and content parts in which a client hands the model server a tensor to deserialise (CVE-2025-62164 and its successors). */
const TENSOR_FIELDS = ['prompt_embeds', 'image_embeds', 'audio_embeds', 'video_embeds'];

/**
 * Refuses a client's own embeddings: a field or a content part of that name, at the top level or anywhere within `messages` or `input`.
 * Throws PreambleError `unsupported_parameter`.
 */
export function refuseClientEmbeddings(body: unknown): void {
  if (!isObject(body)) return;
  for (const field of TENSOR_FIELDS) if (Object.hasOwn(body, field)) throw embeddingsRefused(field);
  walkJson({ messages: body['messages'], input: body['input'] }, (node) => {
    if (typeof node.value === 'string') return;
    for (const field of TENSOR_FIELDS) {
      if (Object.hasOwn(node.value, field) || ('type' in node.value && node.value.type === field))
        throw embeddingsRefused(pathOf(node));
    }
  });
}

function embeddingsRefused(path: string): PreambleError {
  return new PreambleError('unsupported_parameter', `'${path}' holds embeddings, which clients may not send.`, {
    action: 'Send text.',
    param: path,
  });
}
