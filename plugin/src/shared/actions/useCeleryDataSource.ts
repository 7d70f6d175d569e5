import type { PanelData } from '@grafana/data';
import { getDataSourceSrv } from '@grafana/runtime';
import { useEffect, useState } from 'react';
import type { CeleryDataSource } from '../../datasource/datasource';
import { DATASOURCE_ID } from '../ids';

/**
 * The data source instance that answered a panel: what its actions go through. Undefined until it is found, and where
 * the panel shows somebody else's data.
 */
export function useCeleryDataSource(data: PanelData): CeleryDataSource | undefined {
  const ref = data.request?.targets.find((target) => target.datasource?.type === DATASOURCE_ID)?.datasource;
  const uid = ref?.uid;
  const [found, setFound] = useState<{ readonly uid: string; readonly source: CeleryDataSource }>();
  useEffect(() => {
    if (uid === undefined) {
      return undefined;
    }
    let wanted = true;
    getDataSourceSrv()
      .get({ type: DATASOURCE_ID, uid })
      .then((source) => {
        if (wanted && source.type === DATASOURCE_ID) {
          setFound({ uid, source: source as unknown as CeleryDataSource });
        }
      })
      .catch(() => {
        // A data source that was deleted: Grafana shows so where its data would be.
      });
    return () => {
      wanted = false;
    };
  }, [uid]);
  return found?.uid === uid ? found?.source : undefined;
}
