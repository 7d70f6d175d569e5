// Answers everything on the given ports with 200: `node answer.mjs 3100 4318`. Keeps nothing.
import { createServer } from 'node:http';

for (const port of process.argv.slice(2)) {
  createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end('{"database":"ok"}'));
  }).listen(Number(port));
}
process.on('SIGTERM', () => process.exit(0));
