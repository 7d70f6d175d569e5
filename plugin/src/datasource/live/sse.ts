/** A message of an event stream (HTML standard, 9.2.6); comments and `retry` are not told. */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
}

/** Takes the text of an event stream as it comes, cut anywhere, and tells the messages that are whole. */
export function sseParser(): (chunk: string) => SseEvent[] {
  let rest = '';
  return (chunk) => {
    const text = (rest + chunk).replaceAll('\r\n', '\n');
    const blocks = text.split('\n\n');
    rest = blocks.pop() ?? '';
    return blocks.flatMap(eventOf);
  };
}

function eventOf(block: string): SseEvent[] {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^([a-z]+):? ?(.*)$/.exec(line) ?? [];
    if (field === 'event') {
      event = value;
    } else if (field === 'data') {
      data.push(value);
    }
  }
  return data.length === 0 ? [] : [{ event, data: data.join('\n') }];
}
