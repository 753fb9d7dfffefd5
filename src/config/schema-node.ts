/** The parts of a JSON schema that settings are looked up by. */
export interface SchemaNode {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
}

/** Keys from the root: `['models', 'llama', 'backend', 'slots']`. */
export type Path = readonly string[];

/** The schema of the value at `path`; undefined where there can be none. */
export function schemaAt(root: SchemaNode, path: Path): SchemaNode | undefined {
  let at: SchemaNode | undefined = root;
  for (const key of path) {
    const [item]: SchemaNode[] = Object.values(at?.patternProperties ?? {});
    at = at?.properties?.[key] ?? item;
  }
  return at;
}
