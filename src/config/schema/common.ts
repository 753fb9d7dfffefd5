import Type from 'typebox';

export const closed = { additionalProperties: false };

const MAX_SECONDS = 24 * 3600;

export const seconds = (value: number, description: string) =>
  Type.Integer({ minimum: 1, maximum: MAX_SECONDS, default: value, description });

/** Where a secret is read from. It never stands in the file itself, which is shown, compared and put under version control. */
export const secretOf = (description: string) =>
  Type.Object(
    {
      env: Type.Optional(Type.String({ minLength: 1, description: 'Environment variable that holds it.' })),
      file: Type.Optional(Type.String({ minLength: 1, description: 'File that holds it; ./ is beside this file.' })),
    },
    { ...closed, minProperties: 1, maxProperties: 1, description },
  );

export const secretSchema = secretOf('{ env: NAME } or { file: PATH }.');

export type SecretSource = Type.Static<typeof secretSchema>;
