import { randomUUID } from 'node:crypto';

const RESPONSE_ID = /^resp_[0-9a-f]{32}$/;
const ITEM_ID = /^(?:msg|fc)_([0-9a-f]{32})_\d{1,6}$/;

export function newResponseId(): string {
  return `resp_${hex()}`;
}

/** An item's id names its response, so that a reference to the item finds it. */
export function itemId(kind: 'msg' | 'fc', responseId: string, outputIndex: number): string {
  return `${kind}_${responseId.slice('resp_'.length)}_${outputIndex}`;
}

export function newCallId(): string {
  return `call_${hex()}`;
}

/** Only what can be one of ours is asked of a store. */
export function isResponseId(id: string): boolean {
  return RESPONSE_ID.test(id);
}

/** The response that an item of ours belongs to; null for an id that is none of ours. */
export function responseOfItem(id: string): string | null {
  const [, hexDigits] = ITEM_ID.exec(id) ?? [];
  return hexDigits === undefined ? null : `resp_${hexDigits}`;
}

function hex(): string {
  return randomUUID().replaceAll('-', '');
}
