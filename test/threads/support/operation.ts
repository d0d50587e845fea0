/** What may happen to a thread, as data that can be made at random, made smaller and printed. */
import fc from 'fast-check';
import type { ModelName } from './sequence-models.ts';

export type ToolKind = 'echo' | 'slow' | 'fail' | 'patch' | 'plan' | 'unknown';

/** What the model does in one request before it ends the turn. */
export type Round =
  | { readonly kind: 'tools'; readonly tools: readonly ToolKind[]; readonly talks: boolean }
  /** The answer breaks off, and is asked for again. */
  | { readonly kind: 'cut'; readonly after: 'nothing' | 'text' | 'call' };

export type TurnEnd = 'text' | 'interrupt-silence' | 'interrupt-stream' | 'interrupt-tool';

/** Where something stands that the service does not take. */
export type Poison = 'image' | 'user' | 'assistant' | 'call' | 'output';

export type SettingChange = 'effort' | 'cwd' | 'personality' | 'mode' | 'sandbox' | 'approval' | 'date';

export interface TurnPlan {
  readonly rounds: readonly Round[];
  readonly end: TurnEnd;
  readonly steers: boolean;
  readonly hasImage: boolean;
  readonly poison: Poison | undefined;
  /** What the window holds according to the service, from the given request on. */
  readonly load: { readonly level: 'low' | 'middle' | 'full'; readonly from: number };
  readonly model: ModelName | undefined;
  readonly change: SettingChange | undefined;
}

export type BrokenRemote =
  | 'none'
  | 'two'
  | 'html403'
  | 'html200'
  | 'hang'
  | 'cut'
  | 'notFound'
  | 'serverError'
  | 'notShorter'
  | 'garbage';
export type BrokenLocal = 'empty' | 'cut' | 'hang' | 'error';

/** How the next compactions are answered, and by which ways they are tried. */
export interface CompactionPlan {
  readonly remote: BrokenRemote | undefined;
  readonly local: BrokenLocal | undefined;
  readonly strategies: readonly ('endpoint' | 'trigger' | 'local' | 'trim')[];
}

/** `lane`: which of two threads. */
export type Operation =
  | { readonly op: 'turn'; readonly lane: number; readonly turn: TurnPlan; readonly compaction: CompactionPlan }
  | { readonly op: 'both'; readonly turns: readonly [TurnPlan, TurnPlan] }
  /** The process dies in the turn, at a part of what it wrote. */
  | { readonly op: 'crash'; readonly lane: number; readonly turn: TurnPlan; readonly at: number }
  | { readonly op: 'compact'; readonly lane: number; readonly compaction: CompactionPlan; readonly interrupts: boolean }
  | { readonly op: 'rollback'; readonly lane: number; readonly turns: number }
  | { readonly op: 'fork'; readonly lane: number; readonly before: number | undefined }
  | { readonly op: 'resume'; readonly lane: number }
  | { readonly op: 'shell'; readonly lane: number };

const TOOLS: readonly ToolKind[] = ['echo', 'slow', 'fail', 'patch', 'plan', 'unknown'];

const round: fc.Arbitrary<Round> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('tools' as const),
      tools: fc.array(fc.constantFrom(...TOOLS), { minLength: 1, maxLength: 3 }),
      talks: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('cut' as const),
      after: fc.constantFrom('nothing', 'text', 'call'),
    }),
  },
);

function seldom<Value>(choice: {
  readonly usual: Value;
  readonly others: fc.Arbitrary<Value>;
  readonly oneIn: number;
}): fc.Arbitrary<Value> {
  return fc.oneof(
    { weight: choice.oneIn - 1, arbitrary: fc.constant(choice.usual) },
    { weight: 1, arbitrary: choice.others },
  );
}

const turn: fc.Arbitrary<TurnPlan> = fc.record({
  rounds: fc.array(round, { maxLength: 3 }),
  end: seldom<TurnEnd>({
    usual: 'text',
    others: fc.constantFrom('interrupt-silence', 'interrupt-stream', 'interrupt-tool'),
    oneIn: 4,
  }),
  steers: seldom({ usual: false, others: fc.constant(true), oneIn: 6 }),
  hasImage: seldom({ usual: false, others: fc.constant(true), oneIn: 5 }),
  poison: seldom<Poison | undefined>({
    usual: undefined,
    others: fc.constantFrom('image', 'user', 'assistant', 'call', 'output'),
    oneIn: 6,
  }),
  load: seldom<TurnPlan['load']>({
    usual: { level: 'low', from: 0 },
    others: fc.record({ level: fc.constantFrom('middle', 'full'), from: fc.nat({ max: 2 }) }),
    oneIn: 4,
  }),
  model: seldom<ModelName | undefined>({
    usual: undefined,
    others: fc.constantFrom('large', 'small', 'text'),
    oneIn: 4,
  }),
  change: seldom<SettingChange | undefined>({
    usual: undefined,
    others: fc.constantFrom('effort', 'cwd', 'personality', 'mode', 'sandbox', 'approval', 'date'),
    oneIn: 5,
  }),
});

/** A hanging answer costs time, so it is rarer than the others. */
const compaction: fc.Arbitrary<CompactionPlan> = fc.record({
  remote: seldom<BrokenRemote | undefined>({
    usual: undefined,
    others: fc.oneof(
      {
        weight: 12,
        arbitrary: fc.constantFrom<BrokenRemote>(
          'none',
          'two',
          'html403',
          'html200',
          'cut',
          'notFound',
          'serverError',
          'notShorter',
          'garbage',
        ),
      },
      { weight: 1, arbitrary: fc.constant<BrokenRemote>('hang') },
    ),
    oneIn: 3,
  }),
  local: seldom<BrokenLocal | undefined>({
    usual: undefined,
    others: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom<BrokenLocal>('empty', 'cut', 'error') },
      { weight: 1, arbitrary: fc.constant<BrokenLocal>('hang') },
    ),
    oneIn: 3,
  }),
  strategies: fc.constantFrom<CompactionPlan['strategies']>(
    ['endpoint', 'trigger', 'local', 'trim'],
    ['local', 'trim'],
    ['trigger', 'trim'],
    ['endpoint', 'local'],
    ['trim'],
    ['trigger'],
  ),
});

const lane = seldom({ usual: 0, others: fc.constant(1), oneIn: 4 });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant('turn' as const), lane, turn, compaction }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('both' as const), turns: fc.tuple(turn, turn) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('crash' as const), lane, turn, at: fc.nat({ max: 1000 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('compact' as const),
      lane,
      compaction,
      interrupts: seldom({ usual: false, others: fc.constant(true), oneIn: 8 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('rollback' as const), lane, turns: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('fork' as const),
      lane,
      before: fc.option(fc.nat({ max: 5 }), { nil: undefined, freq: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('resume' as const), lane }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('shell' as const), lane }) },
);

export const operations: fc.Arbitrary<readonly Operation[]> = fc.array(operation, {
  minLength: 1,
  maxLength: 10,
  size: 'max',
});
