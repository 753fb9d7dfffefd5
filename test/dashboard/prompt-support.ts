import type { Test } from 'tap';
import { shippedPromptDirectory } from '../../src/prompts/shipped.ts';
import { type BuiltProxy, buildProxy, type ProxySettings } from '../helpers/build-proxy.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';
import { type Element, parseMarkup, textOf } from '../helpers/parse-markup.ts';

/** A gateway that serves test/kind@1.0.0, with the prompts that come along beside it. */
export async function startWithShipped(t: Test, settings: ProxySettings = {}): Promise<BuiltProxy> {
  const more = { promptDirectories: ['prompts', shippedPromptDirectory], ...settings.more };
  return await buildProxy(t, [await startFakeVllm(t)], { ...settings, more });
}

export interface Opened {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  readonly page: Element;
  readonly text: string;
}

/** A page of the operators' listener; throws where it is not well-formed. */
export async function openPage({ admin }: Pick<BuiltProxy, 'admin'>, path: string): Promise<Opened> {
  const answer = await fetch(admin + path);
  const html = await answer.text();
  const page = parseMarkup(html.replace('<!DOCTYPE html>', ''));
  return { status: answer.status, headers: answer.headers, html, page, text: textOf(page) };
}

/** The texts of a table's rows, found by how its caption begins. */
export function tableRows(page: Element, caption: string): string[][] {
  const table = [...page.getElementsByTagName('table')].find((each) =>
    textOf([...each.getElementsByTagName('caption')][0]).startsWith(caption),
  );
  if (table === undefined) throw new Error(`no table ${caption}`);
  return [...table.getElementsByTagName('tr')].map((row) => [...row.childNodes].map((cell) => cell.textContent ?? ''));
}
