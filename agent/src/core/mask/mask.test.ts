import { describe, expect, it } from '@jest/globals';
import { runPython } from '../../../../test/support/python.ts';
import type { CeleryEvent } from '../events/event.ts';
import { parsePythonLiteral } from '../query/python-literal.ts';
import { createMasker, DEFAULT_MASK_KEYS, isMasked, MASK } from './mask.ts';
import { keyTest } from './secret-keys.ts';

const masker = createMasker(DEFAULT_MASK_KEYS);
const isSecret = keyTest(DEFAULT_MASK_KEYS);

describe('names of secrets', () => {
  it.each(
    (
      'password PASSWORD db_password userPassword dbpassword password_confirmation passwd pwd X-Api-Key apiKey apikey ' +
      'api_key STRIPE_API_KEY api-keys Authorization auth oauth_token access_token accessToken refreshTokens client-secret ' +
      'secret secret_key SECRET privateKey aws_secret_access_key AWSAccessKeyId sessionid session_id Set-Cookie cookies ' +
      'credentials dbCredential sentry_dsn csrfmiddlewaretoken id_token jwt auth_header tokens x-auth-token authtoken ' +
      'password1 password2 new_password1 newPassword2 password_2 tokens2 pass PASS smtp_pass db_pass dbPass pass1 pin ' +
      'card_pin pin_code otp otp_code cvv passcode signature X-Signature sig ssh_key license_key LICENSE_KEY account_key ' +
      'connection_string connectionString encryption_key session user_session session_key session_ids oauth2_token'
    ).split(' '),
  )('%s', (key) => expect(isSecret(key)).toBe(true));

  it.each(
    (
      'author authors authored_by authenticated tokens_used max_tokens prompt_tokens token_count tokenizer token_type ' +
      'token_expires_at auth_enabled auth_url key keys keyword sort_key api access monkey passenger compass password_length ' +
      'secretary InvalidTokenError session_count cwd id name n user tokenize author_id passes pass_rate pass_through ' +
      'first_passes passed passport bypass pinned pins pinterest shipping spin pin_map keyboard signal design sigma ' +
      'signature_type bucket session_duration session_date training_session trainingSessions token_bucket token_ids ' +
      'md5 utf8 option sort_key2 primary_key partition_key'
    ).split(' '),
  )('not %s', (key) => expect(isSecret(key)).toBe(false));
});

describe('texts', () => {
  it.each([
    ["{'password': 'hunter2', 'n': 1}", "{'password': '********', 'n': 1}"],
    [
      "{'n': 1, 'user': {'name': 'x', 'db_password': \"it's\"}}",
      "{'n': 1, 'user': {'name': 'x', 'db_password': \"********\"}}",
    ],
    ["{'token': 'a\\'b\\\\', 'n': 2}", "{'token': '********', 'n': 2}"],
    ["{'token': b'abc\\xff', 'n': 1}", "{'token': b'********', 'n': 1}"],
    ["{'password1': 'x', 'password2': 'x'}", "{'password1': '********', 'password2': '********'}"],
    [
      "{'pin': 1234, 'smtp_pass': 'x', 'pass_rate': 0.5}",
      "{'pin': '********', 'smtp_pass': '********', 'pass_rate': 0.5}",
    ],
    ["[{'name': 'password', 'value': 'X'}, 1]", "[{'name': 'password', 'value': '********'}, 1]"],
    ["{'value': 'X', 'name': 'password'}", "{'value': '********', 'name': 'password'}"],
    ['{"key": "api_key", "type": "text", "value": "X"}', '{"key": "api_key", "type": "text", "value": "********"}'],
    ['{"Name": "DB_PASSWORD", "Value": "X"}', '{"Name": "DB_PASSWORD", "Value": "********"}'],
    [
      '\'{\\"header\\": \\"Cookie\\", \\"value\\": \\"X\\"}\'',
      '\'{\\"header\\": \\"Cookie\\", \\"value\\": \\"********\\"}\'',
    ],
    ["Header(name='Cookie', value='X')", "Header(name='Cookie', value='********')"],
    ["{'name': 'colour', 'value': 'X'}", "{'name': 'colour', 'value': 'X'}"],
    ["{'name': 'token'}, {'value': 'X'}", "{'name': 'token'}, {'value': 'X'}"],
    ["'mysql --password X --user me'", "'mysql --password ******** --user me'"],
    ["['mysql', '--password', 'X', '-h', 'db']", "['mysql', '--password', '********', '-h', 'db']"],
    ["['x', '--password', '--user', 'me']", "['x', '--password', '--user', 'me']"],
    ["'the option --password is missing'", "'the option --password is missing'"],
    ["'could not log in with password: X'", "'could not log in with password: ********'"],
    ["'log in with password: X1y2 for ada'", "'log in with password: ******** for ada'"],
    ["'sent Authorization: Token abc def'", "'sent Authorization: Token ******** def'"],
    ["'Unknown token: expired'", "'Unknown token: expired'"],
    ["[(b'Authorization', b'Token X'), (b'n', b'y')]", "[(b'Authorization', b'********'), (b'n', b'y')]"],
    ["'<a><password>X</password><n>1</n></a>'", "'<a><password>********</password><n>1</n></a>'"],
    ["'<wsse:Password>X</wsse:Password>'", "'<wsse:Password>********</wsse:Password>'"],
    ['<Password Type="a#b">X</Password>', '<Password Type="a#b">********</Password>'],
    ["'usage: login <user> <password> now'", "'usage: login <user> <password> now'"],
    ["'https://x.blob/y?sv=1&sig=X%3D&sp=r'", "'https://x.blob/y?sv=1&sig=********&sp=r'"],
    [
      "'-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\nab+/=\\n-----END RSA PRIVATE KEY-----\\n'",
      "'-----BEGIN RSA PRIVATE KEY-----********-----END RSA PRIVATE KEY-----\\n'",
    ],
    ["{'a': '-----BEGIN PRIVATE KEY-----\\nMIIE...'}", "{'a': '-----BEGIN PRIVATE KEY-----********...'}"],
    ["'-----BEGIN PUBLIC KEY-----\\nMIIE'", "'-----BEGIN PUBLIC KEY-----\\nMIIE'"],
    ['session: 5 opened', 'session: 5 opened'],
    ["{'training_session': 'x', 'session_date': 'y'}", "{'training_session': 'x', 'session_date': 'y'}"],
    ["{'token': 12345, 'n': 2}", "{'token': '********', 'n': 2}"],
    ["{'token': None, 'secret': True, 'auth': '', 'n': 2}", "{'token': None, 'secret': True, 'auth': '', 'n': 2}"],
    ["{'credentials': {'user': 'a', 'key': '}'}, 'n': [1]}", "{'credentials': '********', 'n': [1]}"],
    ["{'cookies': ['a', ('b', ']')], 'n': [1]}", "{'cookies': '********', 'n': [1]}"],
    ["{'secret': Decimal('12.3'), 'n': 1}", "{'secret': '********', 'n': 1}"],
    ["('x', 3, {'API-Key': 'k', 'max_tokens': 100})", "('x', 3, {'API-Key': '********', 'max_tokens': 100})"],
    ["[('Authorization', 'Bearer abc'), ('Accept', '*')]", "[('Authorization', '********'), ('Accept', '*')]"],
    ["('password', 'is', 'wrong')", "('password', 'is', 'wrong')"],
    ["{'password': 'hunt...", "{'password': '********..."],
    ["{'a': 1, 'password': 'hunt...'}", "{'a': 1, 'password': '********'}"],
    ["User(name='x', password='y', age=3)", "User(name='x', password='********', age=3)"],
    ["User(name='x', password=SecretStr('y'), age=3)", "User(name='x', password=********, age=3)"],
    ["token=Header(name='Cookie', value=b'X')zat, n=1", 'token=********, n=1'],
    ["User(password=SecretStr('y').get_secret_value()[0], age=3)", 'User(password=********, age=3)'],
    ["<User password='y' at 0x1>", "<User password='********' at 0x1>"],
    ['\'{"password": "hunter2", "n": 1}\'', '\'{"password": "********", "n": 1}\''],
    ['\'{"password": "hun\\\\"ter2", "n": 1}\'', '\'{"password": "********", "n": 1}\''],
    [
      '{"body": "{\\"password\\": \\"hun\\\\\\"ter2\\", \\"n\\": 1}"}',
      '{"body": "{\\"password\\": \\"********\\", \\"n\\": 1}"}',
    ],
    ['{"body": "{\\"token\\": 17, \\"n\\": 1}"}', '{"body": "{\\"token\\": \\"********\\", \\"n\\": 1}"}'],
    ["{'b': '{\"password\": \"hunt', 'n': \"x\"}", "{'b': '{\"password\": \"********', 'n': \"x\"}"],
    ["ValueError(\"bad {'token': 'abc'}\")", "ValueError(\"bad {'token': '********'}\")"],
    ["'https://x/?a=1&access_token=abc&b=2'", "'https://x/?a=1&access_token=********&b=2'"],
    ["'next=%2Fx%3Ftoken%3Dabc%26n%3D1'", "'next=%2Fx%3Ftoken%3D********%26n%3D1'"],
    ["'user[password]=abc&n=1'", "'user[password]=********&n=1'"],
    ["'host=db password=a,b;c user=me'", "'host=db password=******** user=me'"],
    ["'postgres://me:p%40ss@db:5432/x?y=1'", "'postgres://me:********@db:5432/x?y=1'"],
    ["'redis://:pa:ss@h/0', 'https://x.y/z?at=a@b.c'", "'redis://:********@h/0', 'https://x.y/z?at=a@b.c'"],
    ["'https://ghp_0123456789abcdefghij@github.com/a'", "'https://********@github.com/a'"],
    ["'ssh://git@github.com/a'", "'ssh://git@github.com/a'"],
    ["'curl -H Bearer eyJhbGciOi.J9' then Basic dXNlcjpw", "'curl -H Bearer ********' then Basic ********"],
    ["'Basic authentication is off, Bearer tokens too'", "'Basic authentication is off, Bearer tokens too'"],
    ["'Authorization: Token abc\\r\\nAccept: x'", "'Authorization: ********\\r\\nAccept: x'"],
    ["'user: me\\npassword: hunter2\\nn: 1'", "'user: me\\npassword: ********\\nn: 1'"],
    ["'Invalid password: too short'", "'Invalid password: too short'"],
    ["{'author': 'Orwell', 'tokens_used': 3}", "{'author': 'Orwell', 'tokens_used': 3}"],
    ['don\'t {"password": "it\'s"}', 'don\'t {"password": "********"}'],
    ["os.environ['DB_PASSWORD'] = 'x1'", "os.environ['DB_PASSWORD'] = '********'"],
    ['if token == other: pass', 'if token == other: pass'],
    [
      "    login(user, password='x')\njwt.InvalidTokenError: Signature",
      "    login(user, password='********')\njwt.InvalidTokenError: Signature",
    ],
    ['jwt.exceptions.InvalidToken: Not enough', 'jwt.exceptions.InvalidToken: Not enough'],
    ["'x\\npwd=abc'", "'x\\npwd=********'"],
  ])('%s', (text, expected) => {
    expect(masker.text(text)).toBe(expected);
    expect(masker.text(expected)).toBe(expected);
  });

  it('hands back the very text where nothing is secret', () => {
    const text = "(1, 'a', {'author': 'x', 'url': 'https://x/y'})";
    expect(masker.text(text)).toBe(text);
    expect(isMasked(text)).toBe(false);
    expect(isMasked(masker.text("{'password': 'x'}"))).toBe(true);
  });

  it('leaves reprs of Python and JSON readable, and only the secret gone', async () => {
    const script = `
import json, random, string
random.seed(7)
NAMES = ['n', 'user', 'author', 'items', 'max_tokens']
SECRETS = ['password', 'apiKey', 'X-Auth-Token', 'db_secret', 'credentials']
ALPHABET = string.ascii_letters + '\\'"\\\\{}[](),:;=&% \\n☃\\x00'
def text(mark=''): return mark + ''.join(random.choice(ALPHABET) for _ in range(random.randrange(12)))
def value(depth):
    kind = random.randrange(8 if depth else 5)
    if kind == 0: return random.choice([None, True, 3, 1.5, 10**30])
    if kind < 4: return text()
    if kind == 4: return b'x'
    if kind == 5: return [value(depth - 1) for _ in range(random.randrange(3))]
    if kind == 6: return tuple(value(depth - 1) for _ in range(random.randrange(3)))
    return mapping(depth - 1)
def mapping(depth):
    made = {name: value(depth) for name in random.sample(NAMES, 2)}
    made[random.choice(SECRETS)] = random.choice([text('zq9') + 'zq9', 99399, ['zq9' + text()], {'k': 'zq9' + text()}])
    return made
def plain(v):
    return json.loads(json.dumps(v, default=lambda b: 'x'))
rows = []
for i in range(600):
    v = mapping(3)
    rows.append(repr(v))
    rows.append(repr((json.dumps(plain(v)), 1)) if i % 2 else json.dumps(plain(v)))
print(json.dumps(rows))`;
    const rows = JSON.parse(await runPython(script)) as string[];
    for (const row of rows) {
      const masked = masker.text(row);
      expect(masked).not.toMatch(/zq9|99399/);
      const read = row.startsWith('{"') ? (JSON.parse(masked) as unknown) : parsePythonLiteral(masked);
      if (read === undefined) throw new Error(`cannot be read any more: ${row}\n${masked}`);
      expect(masker.text(masked)).toBe(masked);
    }
  }, 30_000);
});

describe('values and events', () => {
  it('masks members by name, texts by content, and nothing else', () => {
    const given = {
      a: 1,
      token: 'x',
      list: [{ password: ['a'] }, "f(secret='y')"],
      none: { secret: null, auth: false },
    };
    expect(masker.value(given)).toEqual({
      a: 1,
      token: MASK,
      list: [{ password: MASK }, "f(secret='********')"],
      none: { secret: null, auth: false },
    });
    expect(given.token).toBe('x');
    const clean = { a: [1, { b: 'x' }], author: 'y', n: NaN };
    expect(masker.value(clean)).toBe(clean);
    expect(JSON.stringify(masker.value(JSON.parse('{"__proto__": {"token": "x"}}')))).toBe(
      '{"__proto__":{"token":"********"}}',
    );
  });

  it('masks pairs, options and named values as it does in texts', () => {
    const given = {
      headers: [
        ['Authorization', 'x'],
        ['Accept', 'y'],
        ['token', null],
      ],
      argv: ['mysql', '--password', 'x', '--token', '--user', 'me'],
      form: [
        { name: 'password', value: 'x' },
        { value: ['x'], key: 'apiKey' },
        { header: 'Accept', value: 'y' },
      ],
      words: ['password', 'is', 'wrong'],
      told: ['reset the password', 'done'],
    };
    expect(masker.value(given)).toEqual({
      headers: [
        ['Authorization', MASK],
        ['Accept', 'y'],
        ['token', null],
      ],
      argv: ['mysql', '--password', MASK, '--token', '--user', 'me'],
      form: [
        { name: 'password', value: MASK },
        { value: MASK, key: 'apiKey' },
        { header: 'Accept', value: 'y' },
      ],
      words: given.words,
      told: given.told,
    });
  });

  it('masks an event without touching what names it', () => {
    const fields = {
      type: 'task-received',
      uuid: 'token=1',
      name: 'app.reset(password=1)',
      kwargs: "{'password': 'x'}",
      args: '()',
      note: { apiKey: 'k' },
      session: 'abc',
    };
    const event: CeleryEvent = {
      type: 'task-received',
      group: 'task',
      subject: 'received',
      hostname: 'w',
      uuid: 'token=1',
      timestamp: 1,
      clock: 1,
      identity: 1,
      receivedMs: 1,
      fields,
    };
    const masked = masker.event(event);
    expect(masked).toEqual({
      ...event,
      fields: { ...fields, kwargs: "{'password': '********'}", note: { apiKey: MASK }, session: MASK },
    });
    const plain = { ...event, fields: { args: '(1,)', kwargs: "{'a': 1}" } };
    expect(masker.event(plain)).toBe(plain);
  });

  it('knows the patterns it was given, and no others', () => {
    const own = createMasker(['card number', 'iban']);
    expect(own.text("{'cardNumber': '4111', 'IBAN': 'DE1', 'password': 'x'}")).toBe(
      "{'cardNumber': '********', 'IBAN': '********', 'password': 'x'}",
    );
    expect(createMasker([]).text("{'password': 'x'}")).toBe("{'password': 'x'}");
  });
});

describe('time', () => {
  const LENGTH = 1 << 18;
  /** Of the processor, which other programs take nothing from; the best of three. Microseconds. */
  const costOf = (text: string): number =>
    Math.min(
      ...[1, 2, 3].map(() => {
        const before = process.cpuUsage();
        expect(masker.text(text).length).toBeGreaterThan(0);
        const { user, system } = process.cpuUsage(before);
        return user + system;
      }),
    );

  it.each<[string, (length: number) => string]>([
    ['nested brackets', (length) => "{'token': ".repeat(length / 10)],
    ['open texts', (length) => `('token', "${"('token', 'x".repeat(length / 12)}`],
    ['backslashes', (length) => "'token': '" + '\\'.repeat(length)],
    [
      'rising backslashes',
      (length) => Array.from({ length: 1.37 * Math.sqrt(length) }, (_, i) => `('token', ${'\\'.repeat(i)}"`).join(''),
    ],
    ['one name', (length) => 'token'.repeat(length / 5)],
    ['blanks', (length) => `token${' '.repeat(length)}=x`],
    ['URLs', (length) => 'http://a@'.repeat(length / 9)],
    ['one URL', (length) => `http://${'a:'.repeat(length / 2)}`],
    ['bearers', (length) => 'bearer '.repeat(length / 7)],
    ['quotes', (length) => `'"`.repeat(length / 4) + "'password'"],
    ['pairs', (length) => `["token", 'token', `.repeat(length / 20)],
    ['XML', (length) => '<token>'.repeat(length / 7)],
    ['keys', (length) => '-----BEGIN PRIVATE KEY-----"'.repeat(length / 28)],
    ['words', (length) => 'a token: ("'.repeat(length / 11)],
    ['options', (length) => '--token '.repeat(length / 8)],
    ['named values', (length) => "{'name': 'token', 'value': (".repeat(length / 27)],
    ['values before names', (length) => "'value': 'x, 'name': 'token',".repeat(length / 29)],
    ['separators', (length) => 'api_____key'.repeat(length / 11)],
  ])('stays linear: %s', (_, textOf) => {
    const [quarter, whole] = [costOf(textOf(LENGTH / 4)), costOf(textOf(LENGTH))];
    // Linear is 4 times, quadratic 16 times as much; below 5 ms the collector decides.
    expect(whole).toBeLessThan(9 * Math.max(quarter, 5000));
  });
});
