import type { TestDataSourceResponse } from '@grafana/data';
import { firstValueFrom, forkJoin } from 'rxjs';
import { AgentError, type AgentClient } from '../../shared/client';
import { healthOf } from './health';

/** “Save & test”: says what is wrong and what to do about it, in one sentence where possible. Never rejects. */
export async function testAgent(client: AgentClient): Promise<TestDataSourceResponse> {
  try {
    const { status, me } = await firstValueFrom(forkJoin({ status: client.status(), me: client.me() }));
    if (typeof status !== 'object' || typeof status?.version !== 'string') {
      return { status: 'error', message: NO_AGENT };
    }
    return { ...healthOf(status, me) };
  } catch (error) {
    return { status: 'error', message: messageOf(error) };
  }
}

const NO_AGENT = 'Something answers at this URL, but it is no Umbel agent. Check host, port and path of the URL.';

function messageOf(error: unknown): string {
  if (!(error instanceof AgentError)) {
    return error instanceof Error ? error.message : 'The test failed.';
  }
  if (error.status === 404) {
    return NO_AGENT;
  }
  return error.message;
}
