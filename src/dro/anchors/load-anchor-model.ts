import { loadChatTemplate } from '../../model/chat/chat-template.ts';
import { openCheckpoint } from '../../model/checkpoint.ts';
import { loadTokenizer } from '../../model/tokenizer/tokenizer.ts';
import { identifyModel } from '../../prompts/model-identity.ts';
import { withoutTemplate } from '../answers/engine-source.ts';
import type { AnchorModel } from './collect-anchors.ts';
import { weightsDigest } from './weights-digest.ts';

/** What anchors need of a model's directory. Throws `model_unsupported` for one that does not chat, and what reading it throws. */
export async function loadAnchorModel(directory: string): Promise<AnchorModel> {
  const checkpoint = await openCheckpoint(directory);
  const template = await loadChatTemplate(directory);
  if (template === null) throw withoutTemplate(directory);
  const tokenizer = await loadTokenizer(directory);
  return {
    directory,
    tokenizer,
    template,
    contextLength: checkpoint.config.maxPositions,
    identity: await identifyModel(directory, { config: checkpoint.config, tokenizer }),
    weightsSha256: await weightsDigest(checkpoint),
  };
}
