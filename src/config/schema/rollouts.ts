import Type from 'typebox';
import { closed } from './common.ts';

/** For a gateway without Redis, whose settings lie where nothing can be written: in a container, say. */
export const rolloutsSchema = Type.Object(
  {
    stateFile: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Without Redis: the file that keeps rollouts, and what names mean since; relative to this file. Left out: rollouts.json beside it.',
      }),
    ),
  },
  { ...closed, description: 'Where a gateway without Redis keeps its rollouts.' },
);
