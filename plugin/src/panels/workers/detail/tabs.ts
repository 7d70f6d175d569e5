import type { RawTimeRange } from '@grafana/data';
import type { TimeZone } from '@grafana/schema';
import type { CeleryDataSource } from '../../../datasource/datasource';
import type { CommandTable } from '../useCommands';

/** What every tab of the drawer is handed. */
export interface TabProps {
  readonly source: CeleryDataSource;
  readonly hostname: string;
  /** Empty: the panel only shows */
  readonly commands: CommandTable;
  readonly range: RawTimeRange;
  readonly timeZone: TimeZone;
}
