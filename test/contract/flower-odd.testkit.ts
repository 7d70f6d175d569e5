/**
 * Requests that no client should send, and some do: what Flower 2.2 answers to them, the agent answers. Those to which
 * Flower answers 500, or not at all, are no part of it (docs/migration-flower.md).
 */

export type OddRequest = readonly [method: string, path: string, body?: string, type?: string];

const FORM = 'application/x-www-form-urlencoded';
const LONG = 'x'.repeat(1100);

/** Queries of `/api/tasks` that both answer with tasks. */
export const ODD_LISTINGS = [
  ...['limit=%2B2', 'limit=1_0', 'limit=%201%20', 'limit=1%00', 'limit=3&limit=2', 'LIMIT=x&limit=1', 'limit=2&x=%FF'],
  ...['offset=1&offset=0&limit=3', 'offset=99999999999999999999', 'limit=2&&&=&x', 'limit=1;offset=2&limit=2'],
  ...['sort_by=%20name&limit=5', 'sort_by=name%00&limit=5', 'sort_by=state&sort_by=name&limit=5'],
  ...['search=&limit=3', 'search=%20&limit=3', 'search=%00%00%00&limit=3', 'search=shop%00&limit=3'],
  ...['search=%09shop%0A&limit=3', 'search=shop%E2%80%83add&limit=3', 'search=STATE:success&limit=3', 'search=%25ZZZ'],
  ...['search=uuid:abc', 'search=::::', 'search=kwargs:x=', 'state=%00&limit=3', 'state=FAILURE&state=SUCCESS&limit=3'],
  ...['state=&taskname=&workername=&limit=3', 'state=ALL', 'taskname=SHOP.ADD%00&limit=3', `taskname=${LONG}`],
  ...['received_start=&limit=3', 'received_start=2024-1-1%200:0&limit=3', 'received_start=0001-01-01%2000:00&limit=3'],
  ...['received_start=2024-01-01%09%2000:00&limit=3', 'received_end=9999-12-31%2023:59&limit=3'],
];

/** Paths that both refuse. */
export const ODD_READS = [
  ...['limit=1.5', 'limit=1e2', 'limit=_1', 'limit=0x10', 'limit=%00', 'limit=1&limit=x', 'limit=%C2%A0', 'limit=%FF'],
  ...['offset=abc', 'offset=', 'sort_by=-', 'sort_by=uuid', 'sort_by=%3Cb%3E', "sort_by='", 'sort_by=%F0%9F%98%80'],
  ...['received_start=2024-01-01', 'received_start=2024-02-30%2000:00', 'received_end=2024-01-01%2024:00'],
  ...['received_start=2024-01-01T00:00', 'received_start=24-01-01%2000:00', 'received_start=%FF'],
  ...['search=a%00b', 'search=%FF%FE', 'search=%27%C3', 'search=%22%C3%A9', `search=${'a'.repeat(2049)}`],
  ...[`search=${'abc%20'.repeat(129)}`, 'state=%FF', 'taskname=%FF', 'workername=%22%FF%27'],
].map((query) => `/api/tasks?${query}`);

export const ODD_IDS = [
  ...[
    '%00',
    'x%00y',
    'a/b/c',
    '%2F',
    '%FF',
    'a%C3',
    '%ZZ',
    '%',
    '100%',
    '%25',
    '%2500',
    '%3Cb%3E',
    "'",
    '%22',
    '%20x%20',
  ],
  ...['%E2%82%AC', '%F0%9F%98%80', '%0D%0A', '%7F', '%5C', 'x;y', 'x+y', '%EF%BB%BFx', LONG],
];

const multipart = (name: string, value: string, end = '--b--\r\n'): readonly [string, string] => [
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n${end}`,
  'multipart/form-data; boundary=b',
];

/** Of one worker each. None changes anything at it. */
export const ODD_WRITES: readonly OddRequest[] = [
  // Results first: what a revoke makes of them, and when, is the worker's.
  ...['/api/task/result', '/api/task/info'].flatMap((path) =>
    ODD_IDS.map((id): OddRequest => ['GET', `${path}/${id}`]),
  ),
  ...['task/revoke', 'task/abort', 'worker/pool/grow', 'task/async-apply'].flatMap((path) =>
    ODD_IDS.map((id): OddRequest => ['POST', `/api/${path}/${id}`, '{}']),
  ),
  ...['%3Cb%3E', '%FF', "'", 'x%00y', LONG, '%20WORKER%20', 'nobody&workername=WORKER'].map((name): OddRequest => [
    'GET',
    `/api/workers?status=1&workername=${name}`,
  ]),
  ...['%3Cb%3E', '%FF', '%EF%BB%BFx', "it's"].map((name): OddRequest => ['GET', `/api/workers?workername=${name}`]),
  ...['n=0', 'n=', 'n=x', 'n=1.5', 'n=%00', 'n=1&n=x', 'n=true', 'n=%FF'].flatMap((query): OddRequest[] => [
    ['POST', `/api/worker/pool/grow/WORKER?${query}`],
    ['POST', `/api/worker/pool/shrink/WORKER?${query}`],
  ]),
  // To shrink by none ends a process each time, and how many are left is a matter of time.
  ...['n=0&n=0', 'n=%200', 'n=%2B0'].map((query): OddRequest => ['POST', `/api/worker/pool/grow/WORKER?${query}`]),
  ...['min=-1&max=-1', 'min=5&max=1', 'min=x&max=1', 'min=1&max=x', 'min=&max=', 'min=1.0&max=2', ''].map(
    (query): OddRequest => ['POST', `/api/worker/pool/autoscale/WORKER?${query}`],
  ),
  ...['queue=', 'queue=%20', 'queue=%00', 'queue=%FF'].map((query): OddRequest => [
    'POST',
    `/api/worker/queue/add-consumer/WORKER?${query}`,
  ]),
  ...['terminate=maybe', 'terminate=', 'terminate=2', 'terminate=1&terminate=x', 'terminate=%20oN%20', 'signal='].map(
    (query): OddRequest => ['POST', `/api/task/revoke/some-id?${query}`],
  ),
  ...['', '%20', '1/x', '/s', '%3Cb%3E', '1/m/s', '-1', 'None', '%00', '%FF'].map((rate): OddRequest => [
    'POST',
    `/api/task/rate-limit/shop.echo?workername=WORKER&ratelimit=${rate}`,
  ]),
  ['POST', '/api/task/rate-limit/shop.echo?workername=%3Cb%3E&ratelimit=1'],
  ...['soft=', 'hard=', 'soft=abc&hard=xyz', 'soft=1&soft=x', 'soft=%00', 'soft=1e3', 'hard=.5', 'soft=5&hard=1'].map(
    (query): OddRequest => ['POST', `/api/task/timeout/shop.echo?workername=WORKER&${query}`],
  ),
  ...['', 'abc', '-1', '-0', '0x1', '0.1&timeout=x', '1_0x', 'True', '%00'].map((timeout): OddRequest => [
    'GET',
    `/api/task/result/unknown?timeout=${timeout}`,
  ]),
  ...['refresh=', 'status=', 'status=maybe', 'refresh=1&refresh=x', 'status=%FF'].map((query): OddRequest => [
    'GET',
    `/api/workers?${query}`,
  ]),
  ...(
    [
      ['n=x', FORM],
      ['n=x&n=0', FORM],
      ['n=%FF', FORM],
      ['&&n=x&&', FORM],
      ['n=x', `${FORM}; charset=utf-8`],
      ['n=x', 'text/plain'],
      ['{"n": "x"}', 'application/json'],
      ['{"n": "x"}', 'json'],
      multipart('n', 'x'),
      multipart('m', 'x'),
      multipart('n', 'x', ''),
      ['n=x', 'multipart/form-data'],
      ['nothing', 'multipart/form-data; boundary=b'],
    ] satisfies (readonly [string, string])[]
  ).map((body): OddRequest => ['POST', '/api/worker/pool/grow/WORKER?n=0', ...body]),
];

/** Bodies of a new task, what they are labelled as, and `send-task` where `async-apply` of Flower answers 500. */
export const ODD_TASKS: readonly OddRequest[] = [
  ...['null', 'true', '1', '"x"', '[]', ' ', 'nonsense', "{'args': []}", '{"args": [1, 2]} x', '{"args": "ab"}'],
  ...['{"args": [1], "args": [2, 3]}', '\ufeff{"args": [1, 2]}', '{"args": [NaN, 1]}', '{"args": [1, 2], "eta": ""}'],
  ...['{"args": [1, 2], "countdown": ""}', '{"args": [1, 2], "expires": ""}', '{"args": [1, 2], "eta": "2030-01-01"}'],
].map((body): OddRequest => ['POST', '/api/task/async-apply/shop.add', body]);

export const ODD_OPTIONS: readonly OddRequest[] = [
  ...['"queue": ""', '"routing_key": ""', '"task_id": ""', '"kwargs": []', '"headers": []', '"link": []'],
  ...[
    '"countdown": ""',
    '"countdown": []',
    '"countdown": -5',
    '"eta": "2030-01-01"',
    '"priority": null',
    '"chain": null',
  ],
]
  .map((option): OddRequest => ['POST', '/api/task/send-task/shop.add', `{"args": [1, 2], ${option}}`])
  .concat(
    [FORM, 'text/plain', 'application/xml', 'json', 'application/json; charset=latin-1'].map((type): OddRequest => [
      'POST',
      '/api/task/send-task/shop.add',
      '{"args": [1, 2]}',
      type,
    ]),
  );

/** Paths that are none of Flower's: the status alone is compared, since its page is HTML. */
export const ODD_PATHS: readonly OddRequest[] = [
  ...['/api', '/api/', '/api/tasks/', '/api/task/info', '/api/task/result/', '/API/tasks', '/api//tasks', '/metrics/'],
  ...['/api/nothing', '/nothing', '/api/tasks%20', '/healthcheck/'],
]
  .map((path): OddRequest => ['GET', path])
  .concat(
    ['/api/task/revoke/', '/api/worker/shutdown/', '/api/nothing'].map((path): OddRequest => ['POST', path, '{}']),
    ['/api/tasks', '/healthcheck', '/metrics', '/api/task/revoke/x'].map((path): OddRequest => ['PUT', path]),
    ['/api/tasks', '/api/task/info/x'].flatMap((path): OddRequest[] => [
      ['DELETE', path],
      ['OPTIONS', path],
      ['HEAD', path],
    ]),
  );
