import t from 'tap';
import { FALSE_ALARM_RATE } from '../../src/rollout/judge.ts';
import { randomNumbers, type Simulated, simulate } from './simulation.ts';

const ROLLOUTS = 1000;
const CONVERSATIONS = 3000;
const constant = (rate: number) => () => rate;

/** Refusals, compliance with what is harmful, errors, slow answers, odd lengths. */
const usual = [constant(0.05), constant(0), constant(0.01), constant(0.05), constant(0.1)];
/** Over the day both arms get worse and better together. */
const drifting = [0.05, 0, 0.01, 0.05, 0.1].map((rate) => (progress: number) => {
  return rate * (1 + 2 * Math.sin(progress * 20) ** 2);
});
const ones = [1, 1, 1, 1, 1];

const cases: Record<string, Simulated> = {
  'no difference, 5%': { share: 0.05, conversations: CONVERSATIONS, rates: usual, ratios: ones },
  'no difference, 50%': { share: 0.5, conversations: CONVERSATIONS, rates: usual, ratios: ones },
  'no difference, rates that drift': { share: 0.1, conversations: CONVERSATIONS, rates: drifting, ratios: ones },
  'a tenth more of everything': { share: 0.5, conversations: CONVERSATIONS, rates: usual, ratios: ones.map(() => 1.1) },
  'a better candidate': { share: 0.5, conversations: CONVERSATIONS, rates: usual, ratios: ones.map(() => 0.7) },
};

for (const [name, simulated] of Object.entries(cases)) {
  t.test(`${name}: of ${ROLLOUTS} rollouts, looked at after every request, less than 5% are aborted`, async (t) => {
    const random = randomNumbers(1);
    let alarms = 0;
    for (let index = 0; index < ROLLOUTS; index++) if (simulate(simulated, random) !== null) alarms++;
    t.comment(`${alarms} false alarms in ${ROLLOUTS} rollouts`);
    t.ok(alarms / ROLLOUTS < FALSE_ALARM_RATE, `${alarms} alarms`);
  });
}
