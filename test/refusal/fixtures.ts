import { readFileSync } from 'node:fs';
import Type from 'typebox';
import { Value } from 'typebox/value';

const answerSchema = Type.Object({
  id: Type.String(),
  split: Type.Union([Type.Literal('development'), Type.Literal('heldout')]),
  label: Type.Union([
    Type.Literal('refused'),
    Type.Literal('partial'),
    Type.Literal('complied'),
    Type.Literal('empty'),
  ]),
  question: Type.String(),
  answer: Type.String(),
  note: Type.Optional(Type.String()),
});

/** The labelled answers; test/fixtures/refusal/README.md says where they are from. */
export const answers = readFileSync(new URL('../fixtures/refusal/answers.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => Value.Parse(answerSchema, JSON.parse(line)));
