/** Response headers as `node:http` gives them: names in lower case, repeated ones joined or listed. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The first value of a header, trimmed; `undefined` when it is absent or blank. */
export function headerText(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name];
  const text = (typeof value === 'string' ? value : value?.[0])?.trim();
  return text === undefined || text === '' ? undefined : text;
}

export function requestIdOf(headers: ResponseHeaders): string | undefined {
  return headerText(headers, 'x-request-id') ?? headerText(headers, 'x-oai-request-id');
}
