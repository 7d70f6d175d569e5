import { map } from 'rxjs';
import type { Kind } from '../kind';
import { statusFrame } from './frame';

export const statusKind: Kind<'status'> = {
  text: () => 'Agent status',
  run: (_query, { client, refId, requestId }) =>
    client.status(requestId).pipe(map((status) => ({ frames: [statusFrame(refId, status)] }))),
};
