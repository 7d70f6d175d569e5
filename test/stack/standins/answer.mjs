// Answers everything on the given ports with 200: `node answer.mjs 3100 4318`. Keeps nothing.
import { createServer } from 'node:http';

for (const port of process.argv.slice(2)) {
  createServer((request, response) => {
    request.resume();
    // A receiver of OTLP answers with nothing when it has taken all.
    request.on('end', () => response.end(request.method === 'POST' ? '' : '{"database":"ok"}'));
  }).listen(Number(port));
}
process.on('SIGTERM', () => process.exit(0));
