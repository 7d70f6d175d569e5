import { DataSourcePlugin } from '@grafana/data';
import { CeleryDataSource } from './datasource';
import type { CeleryOptions, CelerySecureOptions } from './options';
import type { CeleryQuery } from './query';

export const plugin = new DataSourcePlugin<CeleryDataSource, CeleryQuery, CeleryOptions, CelerySecureOptions>(
  CeleryDataSource,
);
