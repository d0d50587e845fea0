import {
  isJsonObject,
  type JsonObject,
  numberAt,
  objectAt,
  parseJsonObject,
  type ReviewFinding,
  type ReviewResult,
  stringAt,
} from '@quire/protocol';

/**
 * What a reviewer answered: JSON, also with something around it. A text that holds none is taken whole as the
 * explanation, so that nothing of it is lost. Source: the peer's rule.
 */
export function parseReview(text: string): ReviewResult {
  const raw = parseJsonObject(text) ?? parseJsonObject(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1));
  if (raw === undefined) {
    return { findings: [], overallCorrectness: '', overallExplanation: text.trim(), overallConfidence: undefined };
  }
  const findings = raw['findings'];
  return {
    findings: Array.isArray(findings) ? findings.flatMap(parseFinding) : [],
    overallCorrectness: stringAt(raw, 'overall_correctness') ?? '',
    overallExplanation: stringAt(raw, 'overall_explanation') ?? '',
    overallConfidence: numberAt(raw, 'overall_confidence_score'),
  };
}

function parseFinding(raw: unknown): readonly ReviewFinding[] {
  if (!isJsonObject(raw)) return [];
  const title = stringAt(raw, 'title') ?? '';
  const body = stringAt(raw, 'body') ?? '';
  if (title === '' && body === '') return [];
  return [
    {
      title,
      body,
      confidence: numberAt(raw, 'confidence_score'),
      priority: numberAt(raw, 'priority'),
      location: parseLocation(objectAt(raw, 'code_location')),
    },
  ];
}

function parseLocation(raw: JsonObject | undefined): ReviewFinding['location'] {
  const path = raw === undefined ? undefined : stringAt(raw, 'absolute_file_path');
  const range = raw === undefined ? undefined : objectAt(raw, 'line_range');
  const start = range === undefined ? undefined : numberAt(range, 'start');
  if (path === undefined || path === '' || range === undefined || start === undefined) return undefined;
  return { path, startLine: start, endLine: numberAt(range, 'end') ?? start };
}
