import type { Schema } from '../../../scripts/reference/schema.ts';

/** Every setting below `path` by its whole name, as the reference writes it, with what it says it is for. */
export function settingsWithin(schema: Schema, path = ''): { path: string; description: string }[] {
  const { properties = {}, patternProperties = {}, items, anyOf = [] } = schema;
  const named = [
    ...Object.entries(properties),
    ...Object.values(patternProperties).map((any) => ['NAME', any] as const),
  ];
  return [
    ...named.flatMap(([name, child]) => {
      const whole = path === '' ? name : `${path}.${name}`;
      return [{ path: whole, description: child.description ?? '' }, ...settingsWithin(child, whole)];
    }),
    ...anyOf.flatMap((variant) => settingsWithin(variant, path)),
    ...(items === undefined ? [] : settingsWithin(items, `${path}[]`)),
  ];
}
