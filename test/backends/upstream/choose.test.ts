import t from 'tap';
import { type Candidate, chooseServer } from '../../../src/backends/upstream/choose.ts';

const server = (key: string, outstanding = 0, weight = 1): Candidate => ({ key, outstanding, weight });
const three = [server('http://a'), server('http://b'), server('http://c')];
const conversations = Array.from({ length: 3000 }, (_, index) => `conversation ${index}`);
const homes = (servers: readonly Candidate[]) => conversations.map((text) => chooseServer(servers, text)?.key);

t.test('none, one, and the one with the least to do', async (t) => {
  t.equal(chooseServer([], null), null);
  t.equal(chooseServer([server('a', 99)], 'x')?.key, 'a');
  t.equal(chooseServer([server('a', 3), server('b', 1), server('c', 2)], null)?.key, 'b');
});

t.test('equals share', async (t) => {
  const chosen = new Set(Array.from({ length: 200 }, () => chooseServer(three, null)?.key));
  t.equal(chosen.size, 3);
});

t.test('a conversation has a home, and conversations spread evenly', async (t) => {
  const first = homes(three);
  t.strictSame(homes(three.toReversed()), first, 'in whatever order the servers are named');
  for (const { key } of three) {
    const share = first.filter((home) => home === key).length / conversations.length;
    t.ok(share > 0.28 && share < 0.39, `${key}: ${share}`);
  }
});

t.test('a server that goes moves only its own conversations', async (t) => {
  const before = homes(three);
  const after = homes(three.slice(0, 2));
  t.ok(before.every((home, index) => home === 'http://c' || home === after[index]));
});

t.test('a home that has far more to do than the others is passed over', async (t) => {
  const home = chooseServer(three, 'x')?.key;
  const loaded = (outstanding: number) => three.map((each) => (each.key === home ? { ...each, outstanding } : each));
  t.equal(chooseServer(loaded(1), 'x')?.key, home);
  t.not(chooseServer(loaded(10), 'x')?.key, home);
});

t.test('a server that starts anew gets fewer', async (t) => {
  t.equal(chooseServer([server('new', 1, 0.1), server('old', 8)], null)?.key, 'old');
  t.equal(chooseServer([server('new', 0, 0.1), server('old', 12)], null)?.key, 'new');
});
