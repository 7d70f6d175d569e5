import type { StandardEditorProps } from '@grafana/data';
import React from 'react';
import { ColumnList } from './ColumnMenu';
import { type ColumnChoice, chosenColumns } from './columnModel';

/** The columns in the panel's options. */
export function ColumnsEditor({ value, onChange }: StandardEditorProps<readonly ColumnChoice[]>) {
  return <ColumnList columns={chosenColumns(value)} onChange={onChange} />;
}
