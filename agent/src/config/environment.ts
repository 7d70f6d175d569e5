import type { Given } from './arguments.ts';
import { VARIABLES } from './names.ts';
import { closest } from './suggest.ts';

export interface EnvironmentValues {
  /** In the order of `VARIABLES`: for one option the strongest first. */
  readonly given: readonly Given[];
  readonly warnings: readonly string[];
}

/** Values that Kubernetes sets for every Service, e.g. UMBEL_PORT=tcp://10.0.0.1:5555 for one named umbel. */
const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\//;
const SERVICE_LINK_NAME = /_SERVICE_(?:HOST|PORT)|_PORT_\d+_/;

/** What the environment says; an empty variable says nothing. Never throws. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): EnvironmentValues {
  const given: Given[] = [];
  const warnings: string[] = [];
  for (const [name, meaning] of VARIABLES) {
    const value = env[name];
    if (value === undefined || value === '' || meaning.kind === 'action') continue;
    if (name.endsWith('_PORT') && SERVICE_LINK.test(value)) {
      warnings.push(`${name}: ignored, "${value}" is a Kubernetes service link; set enableServiceLinks: false`);
    } else {
      given.push({ meaning, source: name, text: value });
    }
  }
  for (const name of Object.keys(env)) {
    if (!name.startsWith('UMBEL_') || VARIABLES.has(name)) continue;
    if (name.startsWith('UMBEL_TEST_') || SERVICE_LINK_NAME.test(name)) continue;
    const near = closest(
      name,
      [...VARIABLES.keys()].filter((known) => known.startsWith('UMBEL_')),
    );
    warnings.push(`${name}: unknown, ignored${near === undefined ? '' : `; did you mean ${near}?`}`);
  }
  return { given, warnings };
}
