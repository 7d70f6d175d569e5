import { closeEverything } from './cleanup.ts';

export default async function teardown(): Promise<void> {
  await closeEverything();
}
