import type { Emit, OpenItem } from './events.ts';
import type { ItemStatus, MessageItem, OutputRefusal, OutputText, TokenLogprob } from './response.ts';

export interface OpenMessage extends OpenItem<MessageItem> {
  readonly kind: 'message';
  text(delta: string, logprobs: TokenLogprob[]): void;
  refusal(delta: string): void;
}

/** A message as it comes in: text, then perhaps a refusal, each a part that is closed before the next. */
export function openMessage(id: string, outputIndex: number, emit: Emit): OpenMessage {
  const parts: MessageItem['content'] = [];
  let current: OutputText | OutputRefusal | null = null;

  const message = (status: ItemStatus): MessageItem => ({
    id,
    type: 'message',
    status,
    role: 'assistant',
    content: parts.map((part) => ({ ...part })),
  });
  const place = () => ({ item_id: id, output_index: outputIndex, content_index: parts.length - 1 });

  function begin<Part extends OutputText | OutputRefusal>(part: Part): Part {
    endPart();
    parts.push(part);
    current = part;
    emit({ type: 'response.content_part.added', ...place(), part: emptied(part) });
    return part;
  }

  function endPart(): void {
    if (current === null) return;
    if (current.type === 'refusal') {
      emit({ type: 'response.refusal.done', ...place(), refusal: current.refusal });
    } else {
      const { text, logprobs } = current;
      emit({ type: 'response.output_text.done', ...place(), text, logprobs });
    }
    emit({ type: 'response.content_part.done', ...place(), part: { ...current } });
    current = null;
  }

  emit({ type: 'response.output_item.added', output_index: outputIndex, item: message('in_progress') });
  return {
    kind: 'message',
    text(delta, logprobs) {
      const part =
        current?.type === 'output_text'
          ? current
          : begin<OutputText>({ type: 'output_text', text: '', annotations: [], logprobs: [] });
      part.text += delta;
      part.logprobs.push(...logprobs);
      if (delta === '' && logprobs.length === 0) return;
      emit({ type: 'response.output_text.delta', ...place(), delta, logprobs });
    },
    refusal(delta) {
      const part = current?.type === 'refusal' ? current : begin<OutputRefusal>({ type: 'refusal', refusal: '' });
      part.refusal += delta;
      emit({ type: 'response.refusal.delta', ...place(), delta });
    },
    item: () => message('in_progress'),
    close(status) {
      endPart();
      const item = message(status);
      emit({ type: 'response.output_item.done', output_index: outputIndex, item });
      return item;
    },
  };
}

/** A part that is filled later must not be seen full in the event that announces it. */
function emptied(part: OutputText | OutputRefusal): OutputText | OutputRefusal {
  return part.type === 'refusal' ? { ...part } : { ...part, logprobs: [] };
}
