import { stringAt } from '@quire/protocol';
import {
  cutAfterBytes,
  endAfterBytes,
  type RecordedRequest,
  rehearse,
  respond,
  Simulator,
  type Step,
  text,
} from '@quire/simulator';
import { continuation, FINAL, type RecordedTool, recordedAnswer } from './recorded-answer.ts';

/** What the provider does when the client asks again after the cut. */
export type AfterCut = 'replays' | 'continues';

export interface Cut {
  readonly tool: RecordedTool;
  /** Bytes of the first answer that are delivered. */
  readonly offset: number;
  readonly afterCut: AfterCut;
  /** `drop` closes the connection inside the body, `end` finishes the body as if that were all. */
  readonly manner: 'drop' | 'end';
}

/** A provider that cuts the first answer of each thread; which cut a thread gets is said before its first request. */
export interface CutProvider extends AsyncDisposable {
  readonly url: string;
  readonly simulator: Simulator;
  expect(threadId: string, cut: Cut): void;
  requestsOf(threadId: string): readonly RecordedRequest[];
}

const RECORDED = { apply_patch: recordedAnswer('apply_patch'), shell_command: recordedAnswer('shell_command') };

/** @param fallback the cut of threads that were not announced */
export async function startCutProvider(fallback?: Cut): Promise<CutProvider> {
  const cuts = new Map<string, Cut>();
  const requestsOf = (threadId: string): readonly RecordedRequest[] =>
    simulator.requests.filter((request) => threadOf(request) === threadId);
  const rules = rehearse((request): Step => {
    const threadId = threadOf(request);
    const cut = cuts.get(threadId) ?? fallback;
    if (cut === undefined) throw new Error(`no cut is known for the thread ${threadId}`);
    const { answer, bytes } = RECORDED[cut.tool];
    const count = requestsOf(threadId).length;
    if (count === 1) return (cut.manner === 'drop' ? cutAfterBytes : endAfterBytes)(cut.offset, answer);
    const isRetry = count === 2 && cut.offset < bytes.length;
    if (isRetry) return cut.afterCut === 'replays' ? answer : continuation(request, cut.tool);
    return respond(text(FINAL));
  });
  const simulator = await Simulator.start({ rules });
  return {
    url: simulator.url,
    simulator,
    expect: (threadId, cut) => void cuts.set(threadId, cut),
    requestsOf,
    [Symbol.asyncDispose]: () => simulator.close(),
  };
}

function threadOf(request: RecordedRequest): string {
  return stringAt(request.body, 'prompt_cache_key') ?? '';
}
