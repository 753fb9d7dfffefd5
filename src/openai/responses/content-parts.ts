import Type from 'typebox';
import type { ContentPart } from '../chat.ts';
import { valueParser } from '../validate.ts';
import { quote, unsupported } from './unsupported.ts';

const open = { additionalProperties: true };

const readText = valueParser(Type.Object({ text: Type.String() }, open));
const readRefusal = valueParser(Type.Object({ refusal: Type.String() }, open));
const readImage = valueParser(
  Type.Object(
    {
      image_url: Type.Optional(Type.Union([Type.String({ minLength: 1 }), Type.Null()])),
      detail: Type.Optional(
        Type.Union([
          Type.Literal('auto'),
          Type.Literal('low'),
          Type.Literal('high'),
          Type.Literal('original'),
          Type.Null(),
        ]),
      ),
    },
    open,
  ),
);

/** A content part of an item as one of a chat message, made anew: nothing that is not named here comes along. */
export function toChatPart(part: { readonly type: string }, path: string): ContentPart {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
      return { type: 'text', text: readText(part, path).text };
    // In words, as every chat template shows it; few of them know the field.
    case 'refusal':
      return { type: 'text', text: readRefusal(part, path).refusal };
    case 'input_image':
      return imagePart(part, path);
    default:
      throw unsupported(
        `${path}.type`,
        `'${path}' is of type ${quote(part.type)}`,
        'There are input_text, input_image, output_text and refusal.',
      );
  }
}

function imagePart(part: object, path: string): ContentPart {
  const { image_url: url, detail } = readImage(part, path);
  if (typeof url !== 'string') {
    throw unsupported(path, `'${path}' names an image by a file id`, 'Files are not kept here: send image_url.');
  }
  // Chat completions has no better word for it.
  const chatDetail = detail === 'original' ? 'high' : detail;
  const image = typeof chatDetail === 'string' ? { url, detail: chatDetail } : { url };
  const chatPart: ContentPart & { image_url: object } = { type: 'image_url', image_url: image };
  return chatPart;
}
