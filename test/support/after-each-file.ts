import { afterAll } from '@jest/globals';
import { closeEverything } from './cleanup.ts';

afterAll(closeEverything, 60_000);
