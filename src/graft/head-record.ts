import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';

/** What measuring found, as it is noted for a run that goes on. */
const headRecordSchema = Type.Object({
  row: Type.Array(Type.Number()),
  scale: Type.Number(),
  margin: Type.Object({
    worst: Type.Number(),
    positions: Type.Integer(),
    states: Type.Array(
      Type.Object({
        prompt: Type.Union([Type.Null(), Type.String()]),
        positions: Type.Integer(),
        worst: Type.Number(),
      }),
    ),
    queries: Type.Array(Type.Object({ file: Type.String(), sha256: Type.String(), queries: Type.Integer() })),
  }),
});

export type HeadRecord = Static<typeof headRecordSchema>;

const checker = Compile(headRecordSchema);

export function isHeadRecord(value: unknown): value is HeadRecord {
  return checker.Check(value);
}
