import type { Engine } from '../../engine/generation.ts';
import type { ChatTemplate } from '../../model/chat/chat-template.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

/** A model that runs in this process, with what its texts go through. */
export interface EmbeddedModel {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
}
