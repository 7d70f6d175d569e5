import type React from 'react';
import type { Choices } from '../choices';
import type { QueryKind, QueryOf } from '../query';

/** What the editor of a kind is handed; `onChange` also runs the query. */
export interface EditorProps<K extends QueryKind> {
  readonly query: QueryOf<K>;
  readonly onChange: (query: QueryOf<K>) => void;
  readonly choices: Choices;
}

export type KindEditor<K extends QueryKind> = React.ComponentType<EditorProps<K>>;
