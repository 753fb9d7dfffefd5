import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { invalidPrompt } from '../../prompts/manifest.ts';
import { isPromptVersion, MAX_VERSION_LENGTH } from '../../prompts/name.ts';

const ALIAS_FORMAT = 'preamble.alias/1';
/** Promotions that can be taken back; years of them. */
const MAX_HISTORY = 100;
/** Some 150 bytes a promotion, and room for what rollouts add. */
export const MAX_ALIAS_BYTES = 64 * 1024;

const targetSchema = Type.Object({
  version: Type.String({ minLength: 5, maxLength: MAX_VERSION_LENGTH }),
  digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});

const promotionSchema = Type.Object({ ...targetSchema.properties, promoted: Type.String({ maxLength: 40 }) });

/**
 * What a name without a version means. Open, unlike a manifest: rollouts will add fields (a canary and its weight), which a gateway that does not
 * know them passes over, serving what is stable, and which a promotion keeps.
 */
const aliasSchema = Type.Object({
  format: Type.Literal(ALIAS_FORMAT),
  /** Counts changes of this alias, from 1. */
  generation: Type.Integer({ minimum: 1 }),
  stable: promotionSchema,
  /** What was stable before, the latest first. */
  history: Type.Array(promotionSchema, { maxItems: MAX_HISTORY }),
});

/** One version and its content. */
export type Target = Static<typeof targetSchema>;
export type Alias = Static<typeof aliasSchema>;

const checker = Compile(aliasSchema);

/** Throws `prompt_invalid`. */
export function parseAlias(text: string, name: string): Alias {
  const place = `The alias of ${name} in Redis`;
  if (text.length > MAX_ALIAS_BYTES) throw invalidPrompt(place, `it has more than ${MAX_ALIAS_BYTES} bytes`);
  let alias: unknown;
  try {
    alias = JSON.parse(text);
  } catch (error) {
    throw invalidPrompt(place, 'it is not JSON', error);
  }
  if (!checker.Check(alias)) throw invalidPrompt(place, `it is not of the form ${ALIAS_FORMAT}`);
  const wrong = [alias.stable, ...alias.history].find(({ version }) => !isPromptVersion(version));
  if (wrong !== undefined) throw invalidPrompt(place, 'it names what is no version');
  return alias;
}

/** The alias after a promotion; the same one where that version is stable already. */
export function promoted(alias: Alias | null, { version, digest }: Target, now: Date): Alias {
  if (alias?.stable.digest === digest) return alias;
  const stable = { version, digest, promoted: now.toISOString() };
  if (alias === null) return { format: ALIAS_FORMAT, generation: 1, stable, history: [] };
  const history = [alias.stable, ...alias.history].slice(0, MAX_HISTORY);
  return { ...alias, generation: alias.generation + 1, stable, history };
}

/** The alias with what was stable before; null where nothing was. What is taken back is not kept: rolling back again goes further back. */
export function rolledBack(alias: Alias, now: Date): Alias | null {
  const [before, ...history] = alias.history;
  if (before === undefined) return null;
  const stable = { ...before, promoted: now.toISOString() };
  return { ...alias, generation: alias.generation + 1, stable, history };
}
