import { code } from './markdown.ts';
import type { Limits, Schema } from './schema.ts';

/** What a value may be, in words: `1 to 64`, `not empty`; of a list also what each of its entries may be. */
export function limitsOf(schema: Schema): string {
  const variants = (schema.anyOf ?? []).map(limitsOf);
  const each = schema.items === undefined ? '' : limitsOf(schema.items);
  const all = [...ownLimits(schema), ...variants, each === '' ? '' : `each ${each}`];
  return all.filter((words) => words !== '').join(', ');
}

function ownLimits(limits: Limits): string[] {
  const { minimum, maximum, minLength, maxLength, pattern, minItems, uniqueItems, minProperties, maxProperties } =
    limits;
  return [
    range(minimum, maximum, ''),
    minLength === 1 && maxLength === undefined ? 'not empty' : range(minLength, maxLength, ' characters'),
    pattern === undefined ? '' : `like ${code(pattern instanceof RegExp ? pattern.source : pattern)}`,
    minItems === 1 ? 'not empty' : range(minItems, undefined, ' entries'),
    uniqueItems === true ? 'none twice' : '',
    minProperties === 1 && maxProperties === undefined ? 'not empty' : range(minProperties, maxProperties, ' of them'),
  ];
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least === undefined) return most === undefined ? '' : `at most ${amount(most)}${unit}`;
  if (most === undefined) return `${amount(least)} or more${unit}`;
  return least === most ? `exactly ${amount(least)}${unit}` : `${amount(least)} to ${amount(most)}${unit}`;
}

function amount(value: number): string {
  return value.toLocaleString('en-US');
}
