export interface TextAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** One GET without following redirects. */
export async function getText(url: string, headers: Readonly<Record<string, string>> = {}): Promise<TextAnswer> {
  const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(60_000) });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

/** The decoded body of a GET that must answer 200. */
export async function getJson(url: string): Promise<unknown> {
  const { status, body } = await getText(url);
  if (status !== 200) throw new Error(`GET ${url} answered ${status}: ${body.slice(0, 500)}`);
  return JSON.parse(body) as unknown;
}

/** As `getJson`, for answers that are objects. */
export async function getObject(url: string): Promise<Record<string, unknown>> {
  const answer = await getJson(url);
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    throw new Error(`GET ${url} answered no object: ${JSON.stringify(answer).slice(0, 200)}`);
  }
  return answer as Record<string, unknown>;
}
