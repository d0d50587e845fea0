import { type Cell, type CellResult, LIMITS, LONGEST_WAITS } from './fault-cells.ts';

interface Entry {
  readonly cell: Cell;
  readonly result: CellResult;
}

/** The document that a run of the matrix stands for. Equal runs give equal text. */
export function renderFaultTable(entries: readonly Entry[]): string {
  const rows = new Map<string, Map<string, string>>();
  for (const { cell, result } of entries) {
    const key = `| ${cell.fault} | ${cell.moment} |`;
    const row = rows.get(key) ?? new Map<string, string>();
    rows.set(key, row.set(`${cell.transport} ${cell.occurrence}`, result.summary));
  }
  const columns = ['http once', 'http always', 'websocket once', 'websocket always'];
  const lines = [...rows].map(
    ([key, row]) => `${key} ${columns.map((column) => row.get(column) ?? '–').join(' | ')} |`,
  );
  const recovered = entries.filter(({ result }) => result.outcome.kind === 'completed').length;
  return `${introduction()}
| fault | moment | SSE, once | SSE, always | WebSocket, once | WebSocket, always |
|---|---|---|---|---|---|
${lines.join('\n')}

${entries.length} cells: ${recovered} go through, ${entries.length - recovered} fail with a typed error, each with one terminal event.
`;
}

function introduction(): string {
  return `# Faults of the line to the model

Written by \`QUIRE_UPDATE_DOCS=1 npx vitest run test/transport/fault-matrix.test.ts\`; do not edit. Without the variable that test
fails when this table is not what happens.

A turn of two requests (a message and a command, then reasoning and a message) meets one fault at one moment: **once**, in the
first connection or answer, or **always**, in every connection and every answer over either transport. Each cell says how the
turn ended: \`✓\` it went through, \`✗\` it failed with that code; \`after n\` counts the failed attempts; \`then HTTP\` means
that the thread left WebSocket. \`–\` is a cell that can not exist. An \`error\` event is the spelling of a status inside a
WebSocket; inside an SSE body there is none. After the end the next request may meet the broken connection; that costs it at most
one attempt, which is not counted here.

Checked in every cell: exactly one \`turn-end\`, and nothing behind it; every item once, in order, in the events and on record; the
command ran once; no connection is open at the provider afterwards; the turn ended in time. In time means
${LONGEST_WAITS} times ${LIMITS.idleTimeoutMs} ms where there is nothing but silence; two ping intervals of ${LIMITS.pingIntervalMs} ms for a black hole that is met once, and
${LONGEST_WAITS} times ${LIMITS.blackHoleIdleTimeoutMs} ms for one that is met over HTTP, too; no wait everywhere else; and what a busy machine needs.

Settings: \`request_max_retries\` ${LIMITS.requestMaxRetries}, \`stream_max_retries\` ${LIMITS.streamMaxRetries}, \`stream_idle_timeout_ms\` ${LIMITS.idleTimeoutMs}, \`websocket_connect_timeout_ms\` ${LIMITS.handshakeTimeoutMs}.
What follows from which failure: [model-requests.md](model-requests.md).
`;
}
