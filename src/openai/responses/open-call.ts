import type { Emit, OpenItem } from './events.ts';
import type { FunctionCallItem, ItemStatus } from './response.ts';

export interface OpenCall extends OpenItem<FunctionCallItem> {
  readonly kind: 'function_call';
  arguments(delta: string): void;
}

export interface CallIdentity {
  readonly id: string;
  readonly callId: string;
  readonly name: string;
}

/** A function call as it comes in. */
export function openCall({ id, callId, name }: CallIdentity, outputIndex: number, emit: Emit): OpenCall {
  let text = '';
  const place = { item_id: id, output_index: outputIndex };
  const call = (status: ItemStatus): FunctionCallItem => ({
    id,
    type: 'function_call',
    status,
    name,
    arguments: text,
    call_id: callId,
  });

  emit({ type: 'response.output_item.added', output_index: outputIndex, item: call('in_progress') });
  return {
    kind: 'function_call',
    arguments(delta) {
      if (delta === '') return;
      text += delta;
      emit({ type: 'response.function_call_arguments.delta', ...place, delta });
    },
    item: () => call('in_progress'),
    close(status) {
      emit({ type: 'response.function_call_arguments.done', ...place, name, arguments: text });
      const item = call(status);
      emit({ type: 'response.output_item.done', output_index: outputIndex, item });
      return item;
    },
  };
}
