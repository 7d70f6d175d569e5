// Copies what tsc leaves behind (SQL migrations) from agent/src to agent/dist.
import { cp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const agent = new URL('../agent/', import.meta.url);
const path = (relative) => fileURLToPath(new URL(relative, agent));

await cp(path('src/sinks/history/migrations/'), path('dist/sinks/history/migrations/'), { recursive: true });
