import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type ChatTemplate, createChatTemplate } from '../../../src/model/chat/chat-template.ts';
import type { Tokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { type ExtraToken, smollm2 } from '../tokenizer/smollm2.ts';

const fixtures = new URL('../../fixtures/templates/', import.meta.url);

interface RecordedModel {
  tokens: Record<string, string>;
  added: ExtraToken[];
  tools?: boolean;
  systemRole?: boolean;
}

export interface Rendering {
  model: string;
  title: string;
  messages: { role: string; content: string; tool_calls?: object[] }[];
  tools: object[] | null;
  addGenerationPrompt: boolean;
  text?: string;
  ids?: number[];
  error?: string;
}

export interface TestModel {
  name: string;
  tokenizer: Tokenizer;
  template: ChatTemplate;
  takesTools: boolean;
  systemRole: boolean;
}

/** A model of `test/fixtures/templates`: its template, over SmolLM2's vocabulary with its control tokens. */
export function loadModels(): TestModel[] {
  const models: Record<string, RecordedModel> = JSON.parse(readFileSync(new URL('models.json', fixtures), 'utf8'));
  return Object.entries(models).map(([name, model]) => ({
    name,
    tokenizer: smollm2(model.added, model.tokens),
    template: createChatTemplate(
      new Map([['default', readFileSync(new URL(`${name}.jinja`, fixtures), 'utf8')]]),
      model.tokens,
      name,
    ),
    takesTools: model.tools === true,
    systemRole: model.systemRole !== false,
  }));
}

export function loadRenderings(): Rendering[] {
  return JSON.parse(gunzipSync(readFileSync(new URL('renderings.json.gz', fixtures))).toString('utf8'));
}
