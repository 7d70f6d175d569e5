import { t } from '@grafana/i18n';

/** Why nobody works on an orphaned task any more; `reason` as the agent tells it. */
export function orphanText(reason: string): string {
  switch (reason) {
    case 'worker-lost':
      return t('mark.worker-lost', 'Its worker is gone, and nobody else has it');
    case 'worker-restarted':
      return t('mark.worker-restarted', 'Its worker was started again and does not have it any more');
    case 'end-unheard':
      return t('mark.end-unheard', 'Its worker does not have it any more; it may have ended unheard');
    default:
      return reason;
  }
}

/** Where the state of a healed task was read. */
export function sourceText(source: string): string {
  switch (source) {
    case 'result-backend':
      return t('mark.result-backend', 'The result backend, for its event was not heard');
    case 'inspect':
      return t('mark.inspect', 'Its worker, for its event was not heard');
    case 'queue':
      return t('mark.queue', 'Its message in the queue, for its event was not heard');
    default:
      return source;
  }
}
