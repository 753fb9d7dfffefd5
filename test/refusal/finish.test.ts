import t from 'tap';
import { createAdvBenchDetector } from '../../src/refusal/string-detector.ts';
import { phrases } from './read.ts';

const REFUSAL = "I'm sorry, but I can't help with that.";
const HELP = `${'Water boils at a hundred degrees at sea level. '.repeat(6)}`;

for (const detector of [phrases, createAdvBenchDetector()]) {
  t.test(detector.name, async (t) => {
    t.test('the finish reason', async (t) => {
      const ending = (text: string, finish: 'stop' | 'length' | 'content_filter' | null) => {
        const observer = detector.start();
        observer.push(text);
        return observer.end(finish);
      };
      t.match(ending(REFUSAL, 'stop'), { decision: 'refused', detector: detector.name });
      t.match(
        ending(REFUSAL, 'length'),
        { decision: 'refused' },
        'an answer that was cut short is judged as far as it came',
      );
      t.match(ending(HELP, 'stop'), { decision: 'complied', rule: null, atChar: null });
      t.match(ending('', 'stop'), { decision: 'empty', rule: null, atChar: null });
      t.match(ending(' \n\t\u00a0', 'length'), { decision: 'empty' });
      t.match(ending(HELP, 'content_filter'), { decision: 'filtered', rule: null });
      t.match(ending('', 'content_filter'), { decision: 'filtered' });
      t.match(ending(HELP, null), { decision: 'unknown', rule: null });
      const broken = ending(REFUSAL, null);
      t.equal(broken.decision, 'unknown', 'an answer that broke off is never judged');
      t.type(broken.rule, 'string', 'but what had fired until then is told');
    });

    t.test('message.refusal', async (t) => {
      const observer = detector.start();
      observer.refusal('');
      observer.refusal("I'm sorry");
      observer.refusal(', no.');
      t.same(observer.end('stop'), {
        decision: 'refused',
        detector: detector.name,
        rule: 'message.refusal',
        atChar: 0,
      });
      const blank = detector.start();
      blank.refusal(' ');
      blank.push(HELP);
      t.equal(blank.end('stop').decision, 'complied', 'a blank refusal is none');
    });

    t.test('a tool call', async (t) => {
      const silent = detector.start();
      silent.toolCall();
      t.match(silent.end('tool_calls'), { decision: 'complied', rule: null }, 'it is an answer, though without text');
      const refusing = detector.start();
      refusing.push(REFUSAL);
      refusing.toolCall();
      t.match(refusing.end('tool_calls'), { decision: 'partial' }, 'it did something while it refused');
    });

    t.test('end can be asked again', async (t) => {
      const observer = detector.start();
      observer.push(REFUSAL);
      t.equal(observer.end('stop'), observer.end(null));
    });
  });
}

t.test('message.refusal after help is a partial refusal, at the place where it came', async (t) => {
  const observer = phrases.start();
  observer.push(HELP);
  observer.refusal('The rest I cannot say.');
  t.match(observer.end('stop'), { decision: 'partial', rule: 'message.refusal', atChar: HELP.length });
});
