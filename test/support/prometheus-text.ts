import { getText } from './http.ts';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of one scrape, by `name{label="value",…}` with the labels in alphabetical order. */
export class Scrape {
  readonly samples: ReadonlyMap<string, Sample>;

  constructor(samples: ReadonlyMap<string, Sample>) {
    this.samples = samples;
  }

  /** Sum of all series of the family that carry these labels; 0 when there is none. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    let total = 0;
    for (const sample of this.samples.values()) {
      if (sample.name !== name) continue;
      if (Object.entries(labels).every(([key, value]) => sample.labels[key] === value)) total += sample.value;
    }
    return total;
  }

  /** The series whose name is accepted, by key. */
  select(accept: (name: string) => boolean): Map<string, number> {
    const chosen = new Map<string, number>();
    for (const [key, sample] of this.samples) if (accept(sample.name)) chosen.set(key, sample.value);
    return chosen;
  }
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*?)\})? (\S+)(?: [\d.]+)?(?: # .*)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
}

function parseValue(text: string): number {
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return Number(text);
}

/** Reads Prometheus' text format 0.0.4 (and OpenMetrics). Throws on a line that is neither sample, comment nor empty. */
export function parseScrape(text: string): Scrape {
  const samples = new Map<string, Sample>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = LINE.exec(line);
    if (match === null) throw new Error(`not a sample: ${line}`);
    const [, name = '', labelText = '', value = ''] = match;
    const labels = [...labelText.matchAll(LABEL)].map(([, key = '', raw = '']) => [key, unescape(raw)] as const);
    labels.sort(([a], [b]) => (a < b ? -1 : 1));
    const key = `${name}{${labels.map(([label, text]) => `${label}=${JSON.stringify(text)}`).join(',')}}`;
    samples.set(key, { name, labels: Object.fromEntries(labels), value: parseValue(value) });
  }
  return new Scrape(samples);
}

/** Scrapes `/metrics` of a server. */
export async function scrape(url: string): Promise<Scrape> {
  const { status, body } = await getText(url);
  if (status !== 200) throw new Error(`GET ${url} answered ${status}`);
  return parseScrape(body);
}
