import { LoadingState, type PanelProps } from '@grafana/data';
import { PanelDataErrorView } from '@grafana/runtime';
import React from 'react';
import { NoRows, Waiting } from './Answers';
import { errorOf } from './errorOf';

export interface NothingProps extends Pick<PanelProps, 'id' | 'data' | 'fieldConfig' | 'width'> {
  /** Where the data have no frame of the panel's kind: what to choose */
  readonly missing: string;
  /** Where there is such a frame, without rows; absent: as where there is none */
  readonly empty?: string;
}

/** In place of the rows that a panel does not have: waits for them, or says what went wrong, or that there are none. */
export function Nothing({ id, data, fieldConfig, width, missing, empty }: NothingProps) {
  if (data.state === LoadingState.Loading) {
    return <Waiting width={width} />;
  }
  return empty === undefined || data.state === LoadingState.Error ? (
    <PanelDataErrorView panelId={id} data={data} fieldConfig={fieldConfig} message={errorOf(data) ?? missing} />
  ) : (
    <NoRows title={empty} />
  );
}
