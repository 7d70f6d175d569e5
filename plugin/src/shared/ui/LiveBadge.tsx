import { t } from '@grafana/i18n';
import { Badge, type BadgeColor, type IconName } from '@grafana/ui';
import React from 'react';

/** Of the data source's live stream: up to date, too slow for what happens, or gone. */
export type LiveState = 'live' | 'behind' | 'stopped';

/** Says whether what is shown follows the cluster. Nothing for an answer that does not. */
export function LiveBadge({ state }: { readonly state: LiveState | undefined }) {
  if (state === undefined) {
    return null;
  }
  const { text, tooltip, color, icon } = lookOfLive(state);
  return (
    <span role="status">
      <Badge text={text} tooltip={tooltip} color={color} icon={icon} />
    </span>
  );
}

function lookOfLive(state: LiveState): { text: string; tooltip: string; color: BadgeColor; icon: IconName } {
  switch (state) {
    case 'live':
      return {
        text: t('live.live', 'Live'),
        tooltip: t('live.live-tooltip', 'Changes are shown as they happen.'),
        color: 'green',
        icon: 'record-audio',
      };
    case 'behind':
      return {
        text: t('live.behind', 'Behind'),
        tooltip: t(
          'live.behind-tooltip',
          'More happens than can be shown at once; some changes come with the next refresh.',
        ),
        color: 'orange',
        icon: 'clock-nine',
      };
    case 'stopped':
      return {
        text: t('live.stopped', 'Stopped'),
        tooltip: t(
          'live.stopped-tooltip',
          'The live stream of the agent is lost; it is being tried again. A refresh shows how things stand.',
        ),
        color: 'red',
        icon: 'pause-circle',
      };
  }
}
