/** A small program with tests and one bug, for the demo and for tests of the rehearsal. */

export interface DemoFile {
  readonly path: string;
  readonly content: string;
}

export interface DemoProject {
  readonly files: readonly DemoFile[];
  /** What to ask the agent. */
  readonly prompt: string;
}

/** One way to break the program. */
export interface DemoVariant {
  readonly name: DemoVariantName;
  /** The file that differs from the working program; `undefined` when nothing is broken. */
  readonly brokenPath: string | undefined;
  /** Whether the repair rehearsal has a rule that fixes it. */
  readonly isFixable: boolean;
}

export type DemoVariantName =
  | 'off-by-one'
  | 'comparison'
  | 'arithmetic'
  | 'constant'
  | 'text'
  | 'missing-return'
  | 'misspelling'
  | 'unfixable'
  | 'passing';

interface Breakage extends DemoVariant {
  readonly working: string;
  readonly broken: string;
}

const BREAKAGES: readonly Breakage[] = [
  {
    name: 'off-by-one',
    brokenPath: 'src/invoice.js',
    isFixable: true,
    working: 'index < entries.length;',
    broken: 'index < entries.length - 1;',
  },
  {
    name: 'comparison',
    brokenPath: 'src/invoice.js',
    isFixable: true,
    working: 'minutes >= DISCOUNT_FROM_MINUTES',
    broken: 'minutes > DISCOUNT_FROM_MINUTES',
  },
  {
    name: 'arithmetic',
    brokenPath: 'src/invoice.js',
    isFixable: true,
    working: 'net + tax',
    broken: 'net - tax',
  },
  {
    name: 'constant',
    brokenPath: 'src/duration.js',
    isFixable: true,
    working: 'Math.floor(minutes / 60)',
    broken: 'Math.floor(minutes / 24)',
  },
  {
    name: 'text',
    brokenPath: 'src/duration.js',
    isFixable: true,
    working: `h \${rest}m`,
    broken: `h\${rest}m`,
  },
  {
    name: 'missing-return',
    brokenPath: 'src/money.js',
    isFixable: true,
    working: `  return \`\${sign}`,
    broken: `  \`\${sign}`,
  },
  {
    name: 'misspelling',
    brokenPath: 'src/invoice.js',
    isFixable: true,
    working: 'const tax = taxOf(net);',
    broken: 'const tax = taxfO(net);',
  },
  {
    name: 'unfixable',
    brokenPath: 'src/duration.js',
    isFixable: false,
    working:
      '  const match = /^(?:(\\d+)h)? ?(?:(\\d+)m)?$/.exec(text);\n  return Number(match?.[1] ?? 0) * 60 + Number(match?.[2] ?? 0);\n',
    broken: "  throw new Error('reading durations is not written yet');\n",
  },
  { name: 'passing', brokenPath: undefined, isFixable: false, working: '', broken: '' },
];

/** What can be asked of `createDemoProject`. */
export const DEMO_VARIANTS: readonly DemoVariant[] = BREAKAGES.map(({ name, brokenPath, isFixable }) => ({
  name,
  brokenPath,
  isFixable,
}));

/** The program with the bug of one variant. `npm test` is `node --test` with the short reporter; nothing needs to be installed. */
export function createDemoProject(variant: DemoVariantName = 'off-by-one'): DemoProject {
  const breakage = BREAKAGES.find((entry) => entry.name === variant);
  const files = WORKING_FILES.map((file) =>
    file.path === breakage?.brokenPath
      ? { path: file.path, content: file.content.replace(breakage.working, () => breakage.broken) }
      : file,
  );
  return { files, prompt: 'The tests of this project fail. Find the bug, fix it, and run the tests again.' };
}

const WORKING_FILES: readonly DemoFile[] = [
  {
    path: 'package.json',
    content: `${JSON.stringify({ name: 'timesheet', version: '1.0.0', private: true, type: 'module', scripts: { test: 'node --test --test-reporter=spec' } }, null, /* space */ 2)}\n`,
  },
  {
    path: 'README.md',
    content: '# timesheet\n\nTurns a list of worked hours into an invoice. `npm test` runs the tests.\n',
  },
  {
    path: 'src/duration.js',
    content: `/** Minutes of a text such as "1h 30m", "45m" or "2h". */
export function parseDuration(text) {
  const match = /^(?:(\\d+)h)? ?(?:(\\d+)m)?$/.exec(text);
  return Number(match?.[1] ?? 0) * 60 + Number(match?.[2] ?? 0);
}

/** The text for a number of minutes, such as "1h 30m". */
export function formatDuration(minutes) {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return \`\${rest}m\`;
  return \`\${hours}h \${rest}m\`;
}
`,
  },
  {
    path: 'src/money.js',
    content: `/** An amount in cents as people write it, such as "12.50 EUR". */
export function formatMoney(cents) {
  const sign = cents < 0 ? '-' : '';
  const whole = Math.floor(Math.abs(cents) / 100);
  const fraction = String(Math.abs(cents) % 100).padStart(2, '0');
  return \`\${sign}\${whole}.\${fraction} EUR\`;
}
`,
  },
  {
    path: 'src/invoice.js',
    content: `import { formatDuration, parseDuration } from './duration.js';
import { formatMoney } from './money.js';

const CENTS_PER_HOUR = 8000;
const DISCOUNT_FROM_MINUTES = 600;

/** All the minutes of a list of entries. */
export function totalMinutes(entries) {
  let minutes = 0;
  for (let index = 0; index < entries.length; index += 1) {
    minutes += parseDuration(entries[index].worked);
  }
  return minutes;
}

/** The price in cents before tax; long projects get five percent off. */
export function netPrice(minutes) {
  const price = Math.round((minutes * CENTS_PER_HOUR) / 60);
  return minutes >= DISCOUNT_FROM_MINUTES ? Math.round(price * 0.95) : price;
}

function taxOf(net) {
  return Math.round(net * 0.19);
}

/** The invoice as lines of text. */
export function renderInvoice(entries) {
  const minutes = totalMinutes(entries);
  const net = netPrice(minutes);
  const tax = taxOf(net);
  return [
    \`Time: \${formatDuration(minutes)}\`,
    \`Net: \${formatMoney(net)}\`,
    \`Total: \${formatMoney(net + tax)}\`,
  ];
}
`,
  },
  {
    path: 'test/duration.test.js',
    content: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from '../src/duration.js';

test('a duration is read', () => {
  assert.equal(parseDuration('1h 30m'), 90);
  assert.equal(parseDuration('45m'), 45);
  assert.equal(parseDuration('2h'), 120);
});

test('a duration is written', () => {
  assert.equal(formatDuration(90), '1h 30m');
  assert.equal(formatDuration(45), '45m');
});
`,
  },
  {
    path: 'test/money.test.js',
    content: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMoney } from '../src/money.js';

test('an amount has two digits of cents', () => {
  assert.equal(formatMoney(1250), '12.50 EUR');
  assert.equal(formatMoney(-205), '-2.05 EUR');
});
`,
  },
  {
    path: 'test/invoice.test.js',
    content: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { netPrice, renderInvoice, totalMinutes } from '../src/invoice.js';

const entries = [{ worked: '1h 30m' }, { worked: '45m' }, { worked: '2h' }];

test('the minutes of all entries are added', () => {
  assert.equal(totalMinutes(entries), 255);
});

test('ten hours get a discount', () => {
  assert.equal(netPrice(540), 72000);
  assert.equal(netPrice(600), 76000);
});

test('an invoice shows time, net price and total', () => {
  assert.deepEqual(renderInvoice(entries), ['Time: 4h 15m', 'Net: 340.00 EUR', 'Total: 404.60 EUR']);
});
`,
  },
];
