import t from 'tap';
import { createChatTemplate } from '../../../src/model/chat/chat-template.ts';
import { strftime } from '../../../src/model/chat/template-globals.ts';

function render(source: string, variables: Record<string, unknown> = {}): string {
  const template = createChatTemplate(new Map([['default', source]]), {}, 'test');
  return template.render({ messages: [], tools: null, addGenerationPrompt: true, variables });
}

t.test('dates are written as Python writes them', async (t) => {
  const date = new Date(2026, 1, 3, 15, 4, 5);
  t.equal(strftime(date, '%d %b %Y'), '03 Feb 2026');
  t.equal(
    strftime(date, '%A, %-d %B %y, %H:%M:%S %I %p %a %m %% %q'),
    'Tuesday, 3 February 26, 15:04:05 03 PM Tue 02 % %q',
  );
  t.match(render("{{ strftime_now('%Y-%m-%d') }}"), /^\d{4}-\d\d-\d\d$/);
});

t.test('a template that raises refuses the request in its own words', async (t) => {
  t.throws(() => render("{{ raise_exception('Roles must alternate!') }}"), {
    code: 'invalid_request',
    param: 'messages',
    message: /refuses this conversation: Roles must alternate!$/,
  });
});

t.test('a template that fails names the fault in one line', async (t) => {
  t.throws(() => render('{{ 1 + none }}'), { code: 'invalid_request', message: /^[^\n]+$/ });
});

t.test('range', async (t) => {
  t.equal(
    render('{{ range(3) | list | tojson }}{{ range(1, 7, 2) | list | tojson }}{{ range(2, 0, -1) | list | tojson }}'),
    '[0, 1, 2][1, 3, 5][2, 1]',
  );
  t.throws(() => render('{{ range(1000000000) | list }}'), { code: 'invalid_request' });
});

t.test('values compare as in Python', async (t) => {
  const compare = (expression: string) =>
    render(`{{ 'yes' if ${expression} else 'no' }}`, { list: [1, { a: '' }], absent: undefined });
  for (const same of [
    '1 == 1.0',
    'true == 1',
    "'a' == 'a'",
    'none == none',
    'list == list',
    "[1, {'a': ''}] == list",
    "'' != false",
    '0 != none',
    "'1' != 1",
    '[] != false',
    'absent != none',
  ]) {
    t.equal(compare(same), 'yes', same);
  }
  for (const different of [
    "'' == false",
    "'0' == 0",
    '[1] == [1, 2]',
    "{'a': 1} == {'b': 1}",
    'none == false',
    '1 != true',
  ]) {
    t.equal(compare(different), 'no', different);
  }
});

t.test('tojson is Python’s, with text left as it is', async (t) => {
  t.equal(
    render('{{ value | tojson }}', { value: { b: [1, 2.5, null, true], a: 'é"<&>' } }),
    '{"b": [1, 2.5, null, true], "a": "é\\"<&>"}',
  );
});

t.test('more variables reach the template, but can’t take the place of its own', async (t) => {
  t.equal(render('{{ enable_thinking }}', { enable_thinking: false }), 'false');
  t.equal(render('{{ add_generation_prompt }}', { add_generation_prompt: 'mine', messages: 'mine' }), 'true');
});
