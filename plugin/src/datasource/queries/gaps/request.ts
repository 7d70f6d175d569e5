import { map } from 'rxjs';
import { rangeParams } from '../filter';
import type { Kind } from '../kind';
import { gapsFrame } from './frame';

const MOST_GAPS = 1000;

export const gapsKind: Kind<'gaps'> = {
  text: () => 'Gaps',
  run: (_query, context) => {
    const { client, refId, requestId, nowMs } = context;
    return client
      .gaps({ ...rangeParams(context), limit: MOST_GAPS }, requestId)
      .pipe(map((gaps) => ({ frames: [gapsFrame(refId, gaps, { nowMs, limit: MOST_GAPS })] })));
  },
};
