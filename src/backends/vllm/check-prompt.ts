import type { VllmSettings } from '../../config/schema/backend.ts';
import type { PromptVersion } from '../../prompts/registry.ts';
import type { Check, CheckContext } from '../upstream/check.ts';
import type { LocalModel } from '../upstream/local-model.ts';
import { checkOnChat } from './check-chat.ts';
import { checkOnCompletions } from './check-completions.ts';

/** What a prompt does on one server, on the wire that the settings name. Ends at the first that fails. Throws `upstream_*`. */
export async function checkPromptOn(
  context: CheckContext,
  wire: Exclude<VllmSettings['wire'], 'virtual-tokens'>,
  local: LocalModel | null,
  prompt: PromptVersion,
): Promise<Check[]> {
  if (wire === 'completions' && local !== null) return await checkOnCompletions(context, local, prompt);
  const place = local?.systemRole === false ? 'user' : prompt.manifest.position;
  return await checkOnChat({ ...context, place }, prompt);
}
