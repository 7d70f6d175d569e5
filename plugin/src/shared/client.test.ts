import { firstValueFrom, throwError } from 'rxjs';
import { AgentClient } from './client';

const fetch = jest.fn();
jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getBackendSrv: () => ({ fetch }),
}));

it.each([
  ['the token is wrong', 400, { message: 'Authentication to data source failed' }, /refused the token\. Set the token/],
  [
    'a wrong token is locked out',
    429,
    { error: { code: 'too-many-attempts', message: 'Too many failed logins; try again in 58 s.' } },
    /try again in 58 s\. Is the token of the data source one of the agent’s --tokens\?/,
  ],
  ['nothing listens', 502, {}, /cannot be reached/],
  ['a member is wrong', 400, { error: { code: 'bad-parameter', message: '`limit` is too large.' } }, /^`limit` is too/],
])('says what to do when %s', async (_, status, data, sentence) => {
  fetch.mockReturnValue(throwError(() => ({ status, statusText: '', data, config: {} })));
  await expect(firstValueFrom(new AgentClient('/proxy').status())).rejects.toThrow(sentence);
});
