import { of } from 'rxjs';
import { filterText } from '../filter';
import type { Kind } from '../kind';

export const eventsKind: Kind<'events'> = {
  text: ({ filter }) => `Events ${filterText(filter)}`.trim(),
  run: () => of({ frames: [] }),
};
