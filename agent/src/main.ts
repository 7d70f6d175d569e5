#!/usr/bin/env -S node --max-semi-space-size=16 --max-old-space-size=1280
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { type Agent, startAgent } from './app.ts';
import { agentVersion } from './app/settings.ts';
import { doctorParts, runDoctorCommand } from './app/doctor.ts';
import { runImportCommand } from './app/import.ts';
import { type Config, ConfigError } from './config/config.ts';
import { helpText, printConfig } from './config/help.ts';
import { insecurities } from './config/insecurities.ts';
import { type Loaded, loadConfig, requestedAction } from './config/load.ts';
import { createLogger, type ProcessLogger } from './config/process-logger.ts';
import { hashPassword } from './identity/hash-password.ts';
import type { Logger } from './lib/logger.ts';
import { systemClock } from './lib/clock.ts';
import { parseBrokerUrls } from './transport/url.ts';

/** A stop that takes longer than this ends at once; `docker stop` kills after 10 s. */
const STOP_DEADLINE_MS = 8000;
const EXIT_FAILURE = 1;
const EXIT_CONFIG = 2;

/** Prints what was asked for, or runs the agent until it is told to stop. Resolves to the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const action = requestedAction(argv);
  if (action === 'help') return print(helpText());
  if (action === 'version') return print(agentVersion());
  if (action === 'hash-password') return print(await hashPassword(readFileSync(0, 'utf8').replace(/\r?\n$/, '')));
  let loaded: Loaded;
  try {
    loaded = loadConfig(argv, process.env, {
      hostname: hostname(),
      readFile: (path) => readFileSync(path, 'utf8'),
      checkBrokerUrls: parseBrokerUrls,
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`The agent does not start:\n${error.problems.map((problem) => `  ${problem}\n`).join('')}`);
    return EXIT_CONFIG;
  }
  if (loaded.printOnly) return print(printConfig(loaded.values));
  if (loaded.importOnly) {
    const line = (text: string): unknown => process.stdout.write(`${text}\n`);
    return runImportCommand(loaded.config, { clock: systemClock, logger: SILENT, line });
  }
  const warnings = [...loaded.warnings, ...insecurities(loaded.config, loaded.values)];
  return loaded.doctor === undefined ? run(loaded.config, warnings) : doctor(loaded.config, warnings, loaded.doctor);
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

/** The doctor tells what it finds in its own words. */
const silent = (): void => undefined;
const SILENT: Logger = { error: silent, warn: silent, info: silent, debug: silent };

async function doctor(config: Config, warnings: readonly string[], { json }: { json: boolean }): Promise<number> {
  return runDoctorCommand(config, {
    ...doctorParts(config, { clock: systemClock, logger: SILENT }),
    warnings,
    clock: systemClock,
    line: (text) => process.stdout.write(`${text}\n`),
    json,
  });
}

async function run(config: Config, warnings: readonly string[]): Promise<number> {
  const logger = createLogger(config.agent, process.stdout);
  failOnUncaught(logger);
  let agent: Agent | undefined;
  const stop = stopSignal(logger, () => keep(agent, logger));
  for (const warning of warnings) logger.warn(warning);
  logger.info({ version: agentVersion(), pid: process.pid, node: process.version }, 'the agent starts');
  try {
    agent = await startAgent(config, { logger, clock: systemClock, warnings });
    if (!stop.signal.aborted) logger.info(readyText(agent));
    if (agent.demo) for (const line of DEMO_BANNER) logger.warn(line);
    await stop.asked;
    await agent.close();
    logger.info('the agent has stopped');
    return 0;
  } catch (error) {
    logger.error({ err: error }, `the agent ends: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT_FAILURE;
  }
}

function readyText({ url }: Agent): string {
  const base = url.replace(/\/$/, '');
  return `ready: ${base}/  (API ${base}/api/v1/docs, metrics ${base}/metrics, Flower's API ${base}/api/tasks)`;
}

const DEMO_BANNER = [
  '*** DEMO *** The tasks and workers shown are SIMULATED: no broker is configured.',
  '*** DEMO *** For your own cluster: npm start -- --broker redis://HOST:6379/0   (or set CELERY_BROKER_URL)',
];

/** The exit code of a process that cannot be closed: what is not stored is in files, or is lost. */
function keep(agent: Agent | undefined, logger: ProcessLogger): number {
  try {
    agent?.keep();
    return agent === undefined ? EXIT_FAILURE : 0;
  } catch (error) {
    logger.error({ err: error }, 'what was heard last is lost: it cannot be put into files');
    return EXIT_FAILURE;
  }
}

/**
 * The first SIGTERM or SIGINT asks for a stop with a deadline, the second one ends at once. So does the death of a
 * process that started this one with a channel, as scripts/start.mjs does.
 */
function stopSignal(
  logger: ProcessLogger,
  exitCode: () => number,
): { readonly asked: Promise<void>; readonly signal: AbortSignal } {
  const controller = new AbortController();
  const asked = new Promise<void>((resolve) => controller.signal.addEventListener('abort', () => resolve()));
  const onSignal = (name: string): void => {
    if (controller.signal.aborted) {
      logger.warn(`${name} again: ending at once`);
      process.exit(exitCode());
    }
    logger.info(`${name}: stopping`);
    systemClock.after(STOP_DEADLINE_MS, () => {
      logger.warn(`not stopped after ${STOP_DEADLINE_MS / 1000} s: ending at once`);
      process.exit(exitCode());
    });
    controller.abort();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('disconnect', () => onSignal('the process that started the agent is gone'));
  return { asked, signal: controller.signal };
}

/** A bug of ours: the state can no longer be trusted. What was stored is safe, and a supervisor starts it again. */
function failOnUncaught(logger: ProcessLogger): void {
  const fail = (error: unknown): void => {
    logger.error({ err: error }, 'an error that nobody handled: the agent ends');
    process.exit(EXIT_FAILURE);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
}

process.exit(await main(process.argv.slice(2)));
