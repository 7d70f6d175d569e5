import { matchesGlob } from '../../agent/src/core/control/glob.ts';
import { ControlRefused } from '../../agent/src/core/control/command.ts';
import { argumentsFromEvents } from '../../agent/src/core/control/event-arguments.ts';
import { pythonPattern } from '../../agent/src/core/control/python-pattern.ts';
import { CredentialsError, parseTokens, parseUsers } from '../../agent/src/core/identity/credentials.ts';
import { createMasker, DEFAULT_MASK_KEYS } from '../../agent/src/core/mask/mask.ts';
import { failureKey } from '../../agent/src/core/query/failure.ts';
import { parsePythonLiteral } from '../../agent/src/core/query/python-literal.ts';
import { pythonRepr } from '../../agent/src/core/query/python-repr.ts';
import { matchesSearch } from '../../agent/src/core/query/search-match.ts';
import { parseSearch, SearchError } from '../../agent/src/core/query/search-parser.ts';
import { QueryError } from '../../agent/src/core/query/reader.ts';
import { decodeCursor } from '../../agent/src/sinks/history/read/order.ts';
import { searchSql } from '../../agent/src/sinks/history/read/search-sql.ts';
import { Params } from '../../agent/src/sinks/history/read/sql.ts';
import { ConfigError } from '../../agent/src/config/config.ts';
import { loadConfig } from '../../agent/src/config/load.ts';
import { parseDuration, parseInstant } from '../../agent/src/http/contract/time.ts';
import { ApiProblem } from '../../agent/src/http/errors.ts';
import { JsonFault, membersOf } from '../../agent/src/http/flower/json-body.ts';
import { reprintedText } from '../../agent/src/http/flower/python-json.ts';
import { BrokerUrlError, displayUrls, parseBrokerUrls } from '../../agent/src/transport/url.ts';
import { RedisReplyError, type RedisReply, RespReader } from '../../agent/src/transport/redis/resp-reader.ts';
import { allowing, byteText, must, type Target } from './target.ts';

const masker = createMasker(DEFAULT_MASK_KEYS);

function checkLiteral(text: string): void {
  const value = parsePythonLiteral(text, { allowEllipsis: true });
  if (value === undefined) return;
  const repr = pythonRepr(value);
  // `...` prints as a name, a float beyond the largest as `inf`: neither is a literal.
  if (/Ellipsis|inf/.test(repr)) return;
  const again = parsePythonLiteral(repr);
  must(again !== undefined && pythonRepr(again) === repr, `${repr} does not read back`);
}

const TASK = {
  taskId: 't-1',
  name: 'app.add',
  state: 'FAILURE',
  worker: 'w@a',
  args: '(1,)',
  kwargs: "{'run': 'r1'}",
  result: 'None',
};

function checkSearch(text: string): void {
  const node = allowing([SearchError], () => parseSearch(text));
  if (node === undefined) return;
  matchesSearch(node, TASK);
  const params = new Params();
  const sql = searchSql(node, {
    params,
    dialect: { hasCasefold: text.length % 2 === 0, isCitus: false },
    knownIds: new Set(),
  });
  // All that a statement is made of; what was asked for stands in its parameters.
  const rest = sql.replaceAll(/\$\d+::text(\[\])?|"(?:C|default|pg_unicode_fast)"|[a-z_.]+|[()=,>0 ]/g, '');
  must(rest === '', `the statement holds ${JSON.stringify(rest)}`);
  must((sql.match(/\$\d+/g) ?? []).length >= params.values.length, 'a parameter that is not used');
}

function checkMask(text: string): void {
  const masked = masker.text(text);
  must(
    masker.text(masked) === masked,
    `masked once ${JSON.stringify(masked)}, twice ${JSON.stringify(masker.text(masked))}`,
  );
}

/** The reader is given all at once, byte by byte, and in pieces: it must say the same. */
function checkResp(bytes: Buffer): void {
  const told = [bytes.length, 1, 7].map((size) => JSON.stringify(readResp(bytes, Math.max(size, 1))));
  must(
    told.every((one) => one === told[0]),
    `cut differently: ${told.join(' / ')}`,
  );
}

function readResp(bytes: Buffer, size: number): unknown[] {
  const log: unknown[] = [];
  const shown = (reply: RedisReply): unknown =>
    reply instanceof RedisReplyError ? `error ${reply.message}` : Array.isArray(reply) ? reply.map(shown) : reply;
  const reader = new RespReader({
    onRun: (run, spans = Uint32Array.of(0, run.length)) => {
      for (let n = 0; n < spans.length; n += 2) log.push([run.toString('latin1', spans[n], spans[n + 1])]);
    },
    onReply: (reply) => log.push(shown(reply)),
  });
  try {
    for (let at = 0; at < bytes.length; at += size) reader.append(bytes.subarray(at, at + size));
  } catch (error) {
    must(error instanceof Error && /not the Redis protocol/.test(error.message), String(error));
    log.push('not Redis');
  }
  return log;
}

const PASSWORD = 'zq9secret';

function checkUrl(text: string): void {
  // Where it stands as a password or as that of a key; as a user, a host or an option of another name it is none.
  const isPassword =
    /^[a-z+]+:\/\/([^:@/?#]*:zq9secret@[^@;]*|[^@]*[/?&;]ssl_password=zq9secret)$/.test(text) &&
    text.split(PASSWORD).length === 2;
  const told = (): string => {
    try {
      return displayUrls(parseBrokerUrls(text));
    } catch (error) {
      if (error instanceof BrokerUrlError) return `${error.message} ${error.problem} ${error.fix}`;
      throw error;
    }
  };
  must(!told().includes(PASSWORD) || !isPassword, `${told()} tells the password`);
}

const files = {
  readFile: (path: string): string => {
    if (path.includes('missing')) throw new Error('ENOENT');
    return path.includes('empty') ? '' : 'content';
  },
  hostname: 'h',
  checkBrokerUrls: parseBrokerUrls,
};

/** Words between line breaks; `NAME=value` before the first empty one are variables. */
function checkArguments(text: string): void {
  const words = text.split('\n');
  const split = Math.max(words.indexOf(''), 0);
  const env = Object.fromEntries(
    words.slice(0, split).map((word) => [word.split('=', 1)[0] ?? '', word.slice(word.indexOf('=') + 1)]),
  );
  const loaded = allowing([ConfigError], () => loadConfig(words.slice(split), env, files));
  must(loaded === undefined || Object.isFrozen(loaded.config), 'a configuration that can be changed');
}

function checkTimes(text: string): void {
  const instant = allowing([ApiProblem], () => parseInstant('from', text, 1_795_400_000_000));
  must(instant === undefined || (instant >= 0 && instant <= 8.64e15), 'an instant that is none');
  const duration = allowing([ApiProblem], () => parseDuration('wait', text));
  must(duration === undefined || duration >= 0, 'a duration below nothing');
}

function checkBody(text: string): void {
  const members = allowing([JsonFault], () => membersOf(text));
  for (const member of members?.values() ?? []) {
    const again = reprintedText(member);
    must(reprintedText(again) === again, `${again} is printed in another way`);
  }
}

function checkPatterns(text: string): void {
  const [pattern = '', name = ''] = text.slice(0, 200).split('\n');
  matchesGlob(pattern, name);
  allowing([ControlRefused], () => pythonPattern(pattern))?.(name.slice(0, 40));
}

function checkFailure(text: string): void {
  const [exception = '', ...traceback] = text.split('\n');
  const key = failureKey(exception, traceback.join('\n'));
  must(
    key === null || (/^[0-9a-f]{14}$/.test(key.fingerprint) && key.message.length <= 300),
    'a fingerprint that is none',
  );
}

function checkEventArguments(text: string): void {
  const [args = '', kwargs = ''] = text.split('\n');
  const found = argumentsFromEvents(args, kwargs);
  if (!found.ok) return;
  must(Array.isArray(JSON.parse(found.read.argsJson)), 'args are no list');
  must(typeof JSON.parse(found.read.kwargsJson) === 'object', 'kwargs are no dictionary');
}

const onText = (check: (text: string) => void) => (bytes: Buffer) => check(bytes.toString());

export const TEXT_TARGETS: readonly Target[] = [
  {
    name: 'python-literal',
    seeds: [
      "{'a': [1, -2.5e-7, None], (1, 'b'): b'x\\xff', \"it's\": {1, 2}, 'u': '\\u00e9' 'z'}",
      "('x', ..., set(), True)",
      '[0.1, 10000000000000000000000, 1e400, -0.0]',
    ],
    check: onText(checkLiteral),
  },
  {
    name: 'search',
    seeds: [
      'state:FAILURE name:import',
      '(add OR "a b") AND kwargs:run=r1',
      'result:\\"x\\\\ worker:w@a',
      'kwargs:"deep=[1, 2]" 00000000-1111-2222-3333-444444444444',
    ],
    check: onText(checkSearch),
  },
  {
    name: 'mask',
    seeds: [
      ...[
        "{'password': 'hunter2', 'n': 1}",
        '{"body": "{\\"token\\": \\"x\\"}"}',
        'https://u:pw@h/?api_key=1&b=2',
        "Header(name='Cookie', value=b'X')",
      ],
      ...[
        '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END',
        '<password a="b">X</password>',
        'Authorization: Bearer abcdefgh',
        "['mysql', '--password', 'x']",
      ],
    ],
    check: onText(checkMask),
  },
  {
    name: 'resp',
    seeds: [
      ...[
        '+OK\r\n-ERR x\r\n:-42\r\n$-1\r\n*-1\r\n$0\r\n\r\n',
        '*3\r\n$10\r\npsubscribe\r\n$1\r\nx\r\n:1\r\n',
        '*4\r\n:1\r\n*1\r\n*0\r\n$1\r\nx\r\n+\r\n',
      ],
      ...[
        '*4\r\n$8\r\npmessage\r\n$1\r\np\r\n$1\r\nc\r\n$3\r\na\r\n\r\n',
        '*4\r\n$2\r\npm\r\n:1\r\n:2\r\n:3\r\n',
        '$99999999999\r\n',
        '*99999999999999999999\r\n:1\r\n',
      ],
    ].map(byteText),
    check: checkResp,
  },
  {
    name: 'broker-url',
    seeds: [
      ...[
        `redis://u:${PASSWORD}@h:6379/0`,
        `rediss://:${PASSWORD}@[::1]:6380/2?ssl_cert_reqs=none&ssl_password=${PASSWORD}`,
        'redis+socket:///run/r.sock?virtual_host=4',
      ],
      ...[
        `sentinel://h1;sentinel://:${PASSWORD}@h2:26379/0`,
        `amqps://a%40b:${PASSWORD}@h/%2Fv`,
        'h1:5673;h2',
        'demo://?seed=7&tasks_per_second=2',
      ],
    ],
    check: onText(checkUrl),
  },
  {
    name: 'arguments',
    seeds: [
      ...[
        'UMBEL_PORT=1\nFLOWER_AUTH=x\nCE_BROKER_URL=redis://h\n\n--debug\n--no-history=yes',
        '--broker=redis://h/1\n--tokens\na:admin:b',
        '-b\nredis://h\n--broker-use-ssl\n{"ssl_cert_reqs": 2}',
      ],
      ...[
        '--broker-transport-options\n{"master_name": "m"}\n--mask-keys=a,b\n--metrics-labels\nx',
        '--basic-auth=u:p,v:w\nhash-password',
        'UMBEL_DATABASE_URL_FILE=/missing\n\n--inspect-timeout=1e3',
      ],
    ],
    check: onText(checkArguments),
  },
  {
    name: 'times',
    seeds: ['now-1h', '2026-11-23T14:00:00.5+02:00', '1795400000000', '90s', '1.5ms'],
    check: onText(checkTimes),
  },
  {
    name: 'flower-body',
    seeds: [
      '{"args": [1, 2.0, NaN], "kwargs": {"a\\u0062": "<\\/x>"}, "n": -0}',
      ' [1E+5, -Infinity] ',
      '{"a": {"a": [[[{}]]]}}',
    ],
    check: onText(checkBody),
  },
  {
    name: 'worker-patterns',
    seeds: ['celery@[!a-c]*\ncelery@web', '(a|b)+?\\d{2,3}[^x]$\ncelery@web', '*?*[]]\n]]]'],
    check: onText(checkPatterns),
  },
  {
    name: 'failure',
    seeds: [
      'ValueError(\'no 42 at 0x7f\')\nTraceback (most recent call last):\n  File "a.py", line 1\nValueError: no',
      "Retry in 3s: KeyError('x')",
      'pkg.mod.Error(1)\n\n',
      '<Boom object at 0x7>',
    ],
    check: onText(checkFailure),
  },
  {
    name: 'event-arguments',
    seeds: ["(1, 'it\\'s', [2.5])\n{'a': {'b': None}}", "('C:\\new',)\n{}", '[]\n{"a": 1}'],
    check: onText(checkEventArguments),
  },
  {
    name: 'cursor',
    seeds: ['[1,"timestamp",true,1.5,"t-1"]', '[1,"name",false,"a","t"]', '[1,"received",true,null,"t"]'].map((json) =>
      Buffer.from(json).toString('base64url'),
    ),
    check: onText((text) => {
      for (const key of ['timestamp', 'name', 'received'] as const) {
        const found = allowing([QueryError], () => decodeCursor({ key, descending: true }, text));
        must(found === undefined || !found.taskId.includes('\0'), 'a position that no database holds');
      }
    }),
  },
  {
    name: 'credentials',
    seeds: [
      'a:admin:sha256:00,b:viewer:x',
      '[{"name": "a", "role": "viewer", "token": "x"}]',
      'u:$2b$12$abcdefghijklmnopqrstuuAbcdefghijklmnopqrstuvwxyz01234',
      'u:$scrypt$ln=15,r=8,p=3$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA,v:w',
    ],
    check: onText((text) => {
      allowing([CredentialsError], () => parseUsers([text]));
      allowing([CredentialsError], () => parseTokens([text]));
    }),
  },
];
