import { element, type Markup } from '../../formats/markup.ts';
import type { Gateway } from '../../gateway.ts';
import { refusedModels } from '../../policy/refused-models.ts';
import { renderState } from './parts.ts';

/** What does not work now, a sentence each; nothing where all does. */
export function renderAttention(gateway: Gateway): Markup | null {
  const { readiness } = gateway;
  const problems = [...readiness.reasons(), ...refusedModels(gateway.current().policy), ...readiness.degradations()];
  if (problems.length === 0) return null;
  const items = problems.map((problem) => element('li', {}, renderState('bad', problem)));
  return element('ul', { class: 'attention' }, ...items);
}
