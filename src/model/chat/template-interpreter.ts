import { Environment, Interpreter } from '@huggingface/jinja';

/** The library's type declarations don't resolve under Node's module rules; this is what is used of them. */
interface LibraryInterpreter {
  evaluate(statement: Statement | undefined, environment: unknown): Value;
  run(program: unknown): Value;
}

interface Value {
  readonly type: string;
  readonly value: unknown;
}

interface Statement {
  readonly type: string;
}

interface Equality extends Statement {
  readonly operator: { readonly value: '==' | '!=' };
  readonly left: Statement;
  readonly right: Statement;
}

/**
 * Runs a parsed template over global variables and gives its text. The library compares with JavaScript's `==`, in which
 * '' equals false and nothing equals None; Llama-2's template depends on the difference. Here it compares as Python does.
 */
export function runTemplate(program: unknown, variables: Readonly<Record<string, unknown>>): string {
  const environment = new Environment();
  for (const [name, value] of Object.entries(variables)) environment.set(name, value);
  const interpreter: LibraryInterpreter = new Interpreter(environment);
  const evaluate = interpreter.evaluate.bind(interpreter);
  const truth = (value: boolean): Value => new Environment().set('truth', value);
  interpreter.evaluate = (statement, scope) => {
    if (statement === undefined || !isEquality(statement)) return evaluate(statement, scope);
    const equal = equals(interpreter.evaluate(statement.left, scope), interpreter.evaluate(statement.right, scope));
    return truth(equal === (statement.operator.value === '=='));
  };
  const rendered = interpreter.run(program).value;
  return typeof rendered === 'string' ? rendered : '';
}

function isEquality(statement: Statement): statement is Equality {
  if (statement.type !== 'BinaryExpression' || !('operator' in statement)) return false;
  const { operator } = statement;
  if (typeof operator !== 'object' || operator === null || !('value' in operator)) return false;
  return operator.value === '==' || operator.value === '!=';
}

/** Numbers and truth values compare as numbers, lists and dicts by their content, unlike kinds never equal. */
function equals(left: Value, right: Value): boolean {
  if (isNumeric(left) && isNumeric(right)) return Number(left.value) === Number(right.value);
  if (left.type !== right.type) return false;
  const a = left.value;
  const b = right.value;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item: Value, index) => equals(item, b[index]));
  }
  if (a instanceof Map && b instanceof Map) {
    return a.size === b.size && [...a].every(([key, item]: [string, Value]) => b.has(key) && equals(item, b.get(key)));
  }
  return a === b;
}

function isNumeric(value: Value): boolean {
  return value.type === 'IntegerValue' || value.type === 'FloatValue' || value.type === 'BooleanValue';
}
