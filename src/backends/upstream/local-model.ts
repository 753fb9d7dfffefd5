import { type ChatTemplate, loadChatTemplate } from '../../model/chat/chat-template.ts';
import { openCheckpoint } from '../../model/checkpoint.ts';
import { type EmbeddingTable, openEmbeddingTable } from '../../model/embedding-table.ts';
import { loadTokenizer, type Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { identifyModel, type ModelIdentity } from '../../prompts/model-identity.ts';

/** The files of a model that is served elsewhere. */
export interface LocalModel {
  readonly directory: string;
  readonly tokenizer: Tokenizer;
  /** Null for a base model, which can complete but not chat. */
  readonly template: ChatTemplate | null;
  readonly identity: ModelIdentity;
  readonly controlTokens: readonly string[];
  /** Whether its template has a place for a system message. */
  readonly systemRole: boolean;
  readonly embeddings: EmbeddingTable;
}

/** `directory` is a Hugging Face model. Throws what reading it throws. */
export async function loadLocalModel(directory: string): Promise<LocalModel> {
  const tokenizer = await loadTokenizer(directory);
  const template = await loadChatTemplate(directory);
  return {
    directory,
    tokenizer,
    template,
    identity: await identifyModel(directory, { tokenizer }),
    controlTokens: [...tokenizer.controlTokens.values()],
    systemRole: template?.traits(false).systemRole ?? true,
    embeddings: openEmbeddingTable(await openCheckpoint(directory)),
  };
}
