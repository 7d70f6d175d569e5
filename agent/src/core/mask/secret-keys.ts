/** Words and pairs of words that name secrets; the default of `--mask-keys`. */
export const DEFAULT_MASK_KEYS: readonly string[] = [
  'password',
  'passwd',
  'passphrase',
  'pwd',
  'pass',
  'passcode',
  'pin',
  'pin_code',
  'otp',
  'cvv',
  'secret',
  'token',
  'jwt',
  'authorization',
  'auth',
  'oauth',
  'api_key',
  'access_key',
  'private_key',
  'secret_key',
  'signing_key',
  'encryption_key',
  'ssh_key',
  'account_key',
  'license_key',
  'connection_string',
  'signature',
  'sig',
  'credential',
  'cookie',
  'session',
  'session_id',
  'csrf',
  'dsn',
];

/** A name that only tells something about a secret: `token_count`, `password_expires_at`, `auth_enabled`. */
const TELLS_ABOUT = new Set(
  (
    'count counts used usage limit limits type types length len size expires expire expiry expiration ttl at age ' +
    'policy required enabled disabled valid verified error errors exception exceptions timeout method methods url uri ' +
    'endpoint field fields name names class ids bucket date duration rate backend backends provider form view task tasks expired status state'
  ).split(' '),
);
/** Numbers of them: `max_tokens`, `prompt_tokens` of language models. */
const COUNTED = new Set('max min total num n count prompt completion input output used cached reasoning'.split(' '));
/** Short words with other meanings: secrets only at the end of a name (`smtp_pass`, not `pass_rate`), and no plurals. */
const LAST_ONLY = new Set(['pass', 'pin', 'sig']);
/** What people do in sessions, and programs with databases: `training_session`, `db_session`. */
const NO_LOGIN = new Set(
  (
    'training chat game workout work meeting class course study exam therapy lesson practice coaching conference ' +
    'trading parking charging db database sql spark'
  ).split(' '),
);
/** Longest name that is looked at. */
export const MAX_KEY_LENGTH = 128;

export type KeyTest = (key: string) => boolean;

/** Words of a name in lower case: `X-Api-Key`, `apiKey`, `api_key` and `API key` give the same. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/**
 * A test for names that hold a pattern's words one after the other. A long word also counts at the end of another
 * (`dbpassword`, `authtoken`), and plurals count; names that only tell about a secret do not (`token_count`,
 * `max_tokens`, `author`). Answers are kept: the same few names come with every event.
 */
export function keyTest(patterns: readonly string[]): KeyTest {
  const wanted = patterns.map(wordsOf).filter((words) => words.length > 0);
  const answers = new Map<string, boolean>();
  return (key) => {
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = key.length <= MAX_KEY_LENGTH && isSecret(wordsOf(key), wanted);
    if (answers.size < 10_000) answers.set(key, answer);
    return answer;
  };
}

function isSecret(words: readonly string[], wanted: readonly (readonly string[])[]): boolean {
  return wanted.some((pattern) => words.some((_, at) => isSecretAt(words, at, pattern)));
}

function isSecretAt(words: readonly string[], at: number, pattern: readonly string[]): boolean {
  const end = endOf(words, at, pattern);
  if (end === undefined) return false;
  const word = pattern.length === 1 ? (pattern[0] ?? '') : '';
  if (isShort(word) && words.slice(end).some((after) => !/^\d+$/.test(after))) return false;
  if (word === 'session' && NO_LOGIN.has(words[at - 1] ?? '')) return false;
  if (end < words.length && TELLS_ABOUT.has(words.at(-1) ?? '')) return false;
  const plural = words[end - 1]?.endsWith(`${pattern.at(-1) ?? ''}s`) === true;
  return !(plural && words.some((word, index) => (index < at || index >= end) && COUNTED.has(word)));
}

/** Index behind the pattern's words where they begin at `at`; `api_key` is also found in `apikey`. */
function endOf(words: readonly string[], at: number, pattern: readonly string[]): number | undefined {
  if (sameWord(words[at] ?? '', pattern.join(''))) return at + 1;
  return pattern.every((part, i) => sameExact(words[at + i], part)) ? at + pattern.length : undefined;
}

/** Equal or its plural; either may be numbered, as the fields of Django's forms are: `password1`. */
function sameExact(given: string | undefined, part: string): boolean {
  if (given === undefined) return false;
  const word = unnumbered(given);
  return given === part || word === part || (!isShort(part) && word === `${part}s`);
}

/** The same, or ending in it where it is long enough to be no chance. */
function sameWord(given: string, part: string): boolean {
  if (sameExact(given, part)) return true;
  if (part.length < 5) return false;
  const word = unnumbered(given);
  return given.endsWith(part) || word.endsWith(part) || word.endsWith(`${part}s`);
}

function unnumbered(word: string): string {
  let end = word.length;
  while (end > 0 && word.charCodeAt(end - 1) <= 0x39) end--;
  return word.slice(0, end);
}

/** Whether the word counts at the end of a name only. */
export function isShort(word: string): boolean {
  return LAST_ONLY.has(word);
}
