import { PreambleError } from '../../errors.ts';

/** What chat templates expect to find, as transformers' `_compile_jinja_template` provides it. */
export const templateGlobals: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range,
  raise_exception: (message: unknown) => {
    throw new PreambleError(
      'invalid_request',
      `The model's chat template refuses this conversation: ${String(message)}`,
      {
        param: 'messages',
      },
    );
  },
  strftime_now: (format: unknown) => strftime(new Date(), String(format)),
};

/** The longest list that Jinja's own sandbox makes. */
const MAX_RANGE = 100_000;

function range(first: number, second: unknown, third: unknown): number[] {
  const [start, stop] = typeof second === 'number' ? [first, second] : [0, first];
  const step = typeof third === 'number' ? third : 1;
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= MAX_RANGE)) throw new RangeError(`range() is longer than ${MAX_RANGE}`);
  return Array.from({ length: count }, (_, index) => start + index * step);
}

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Python's `strftime` in the C locale and the machine's time zone; an unknown directive stays as it is. */
export function strftime(date: Date, format: string): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const month = months[date.getMonth()] ?? '';
  const day = days[date.getDay()] ?? '';
  const directives: Readonly<Record<string, string>> = {
    '%Y': String(date.getFullYear()),
    '%y': two(date.getFullYear() % 100),
    '%m': two(date.getMonth() + 1),
    '%d': two(date.getDate()),
    '%-d': String(date.getDate()),
    '%B': month,
    '%b': month.slice(0, 3),
    '%A': day,
    '%a': day.slice(0, 3),
    '%H': two(date.getHours()),
    '%I': two(date.getHours() % 12 || 12),
    '%p': date.getHours() < 12 ? 'AM' : 'PM',
    '%M': two(date.getMinutes()),
    '%S': two(date.getSeconds()),
    '%%': '%',
  };
  return format.replace(/%-?[A-Za-z%]/g, (directive) => directives[directive] ?? directive);
}
