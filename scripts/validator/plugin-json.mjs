/** What Grafana's schema of plugin.json and its validator ask of each plugin.json. */
import { join } from 'node:path';

const KEYS = {
  required: ['type', 'name', 'id', 'info', 'dependencies'],
  optional: [
    ...[
      '$schema',
      'annotations',
      'buildMode',
      'category',
      'extensions',
      'hideFromList',
      'includes',
      'languages',
      'logs',
    ],
    ...['metrics', 'multiValueFilterOperators', 'preload', 'queryOptions', 'roles', 'routes', 'skipDataQuery'],
    ...['state', 'streaming', 'suggestions', 'tracing'],
  ],
};
/** Work only with a backend, which this plugin has not. */
const NEEDS_BACKEND = ['alerting', 'backend', 'executable', 'iam'];
const CATEGORIES = ['tsdb', 'logging', 'cloud', 'tracing', 'profiling', 'sql', 'enterprise', 'iot', 'other'];
const ROLES = ['Viewer', 'Editor', 'Admin'];
const VERBS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', '*'];
const INCLUDES = ['dashboard', 'page', 'panel', 'datasource'];
const VERSION = /^\d+\.\d+\.\d+(-[\w.]+)?$/;
const RANGE = /^(<=|>=|<|>|=|~|\^)?\d+(\.[\dx*]+){1,2}(-\w+)?(\s+(\|\|\s+)?(<=|>=|<|>|=|~|\^)?\d+(\.[\dx*]+){1,2})*$/;

/**
 * @param {import('./files.mjs').Build} build
 * @param {{ folder: string, json: Record<string, any> }} plugin
 * @param {{ app: Record<string, any>, version: string }} root the app's plugin.json and package.json's version
 * @returns {string[]} what is wrong
 */
export function pluginJsonProblems(build, { folder, json }, root) {
  const at = join(folder, 'plugin.json');
  const checks = [...keys(json), ...identity(json), ...info(build, folder, json, root), ...routes(json)];
  return [...checks, ...dependencies(json), ...includes(build, folder, json), ...languages(build, folder, json)].map(
    (text) => `${at}: ${text}`,
  );
}

function keys(json) {
  const known = [...KEYS.required, ...KEYS.optional];
  return [
    ...KEYS.required.filter((key) => json[key] === undefined).map((key) => `${key} is missing`),
    ...NEEDS_BACKEND.filter((key) => json[key] !== undefined).map((key) => `${key} needs a backend, and there is none`),
    ...Object.keys(json)
      .filter((key) => !known.includes(key) && !NEEDS_BACKEND.includes(key))
      .map((key) => `${key} is not known to Grafana`),
  ];
}

function identity({ id = '', type = '', name = '', category }) {
  return [
    ...(/^[0-9a-z]+-([0-9a-z]+-)?(app|panel|datasource)$/.test(id) ? [] : [`id ${id} is not org-name-type`]),
    ...(id.endsWith(`-${type}`) ? [] : [`id ${id} does not end in its type ${type}`]),
    ...(name.trim() === '' ? ['name is empty'] : []),
    ...(category === undefined || CATEGORIES.includes(category) ? [] : [`category ${category} is not known`]),
  ];
}

function info(build, folder, { info: told = {}, type }, { version }) {
  const { description = '', keywords = [], author, logos = {}, links = [], screenshots = [], updated = '' } = told;
  const pictures = [
    ...['small', 'large'].map((size) => [`logo ${size}`, logos[size]]),
    ...screenshots.map(({ path }) => ['screenshot', path]),
  ];
  return [
    ...(description.length < 10 ? ['info.description says too little'] : []),
    ...(keywords.length === 0 || keywords.some((word) => typeof word !== 'string')
      ? ['info.keywords are missing']
      : []),
    ...((author?.name ?? '') === '' ? ['info.author.name is missing'] : []),
    ...(told.version === version && VERSION.test(version)
      ? []
      : [`info.version is ${told.version}, package.json says ${version}`]),
    ...(/^\d{4}-\d\d-\d\d$/.test(updated) ? [] : [`info.updated is ${updated}, not a date`]),
    ...(type === 'app' && screenshots.length === 0 ? ['info.screenshots: at least one'] : []),
    ...screenshots.filter(({ name }) => (name ?? '') === '').map(({ path }) => `screenshot ${path} has no name`),
    ...links
      .filter(({ name, url }) => !name || !/^https:\/\//.test(url ?? ''))
      .map(({ url }) => `link ${url} is not https`),
    ...pictures.flatMap(([what, path]) => picture(build, folder, what, path)),
  ];
}

function picture(build, folder, what, path) {
  if (path === undefined || !build.has(join(folder, path))) return [`${what} ${path} is not there`];
  if (what.startsWith('logo') && !path.endsWith('.svg')) return [`${what} ${path} is no SVG`];
  return build.isPicture(join(folder, path)) ? [] : [`${what} ${path} is not the picture that its name says`];
}

function routes({ routes: list = [], type }) {
  if (list.length > 0 && type === 'panel') return ['routes: a panel has none'];
  return list.flatMap(({ path = '', method, reqRole, reqAction, headers = [] }, index) => [
    ...(path === '' ? [`routes[${index}]: path is empty`] : []),
    // Grafana compares the method for equality: "POST,PUT" never matches.
    ...(VERBS.includes(method) ? [] : [`routes[${index}]: method ${method} is not one verb`]),
    ...(reqAction !== undefined || ROLES.includes(reqRole) ? [] : [`routes[${index}]: reqRole ${reqRole}`]),
    ...headers
      .filter(({ name, content }) => !name || (/^Authorization$/i.test(name) && !/\.SecureJsonData\./.test(content)))
      .map(({ name }) => `routes[${index}]: header ${name} must take its secret from SecureJsonData`),
  ]);
}

function dependencies({ dependencies: told = {}, id }) {
  const { grafanaDependency = '', plugins = [] } = told;
  return [
    ...(RANGE.test(grafanaDependency) ? [] : [`dependencies.grafanaDependency "${grafanaDependency}" is no range`]),
    ...plugins.filter((plugin) => plugin.id === id).map(() => 'depends on itself'),
  ];
}

function includes(build, folder, { includes: list = [], type, id }) {
  const nested = type === 'app' ? build.plugins().filter((plugin) => plugin.folder !== folder) : [];
  const isListed = (plugin) =>
    list.some((one) => one.path === join(plugin.folder, 'plugin.json') && one.type === plugin.json.type && one.name);
  return [
    ...nested.filter((plugin) => !isListed(plugin)).map((plugin) => `includes lacks ${plugin.json.id}, type and path`),
    ...list.flatMap(({ type: kind, path = '', name = '' }) => [
      ...(INCLUDES.includes(kind) ? [] : [`includes: type ${kind}`]),
      ...(name === '' ? [`includes ${path}: name is missing`] : []),
      ...(kind === 'page'
        ? path.startsWith(`/a/${id}`) || path.startsWith(`/plugins/${id}`)
          ? []
          : [`includes: page ${path} is not below the app`]
        : build.has(join(folder, path))
          ? []
          : [`includes: ${path} is not there`]),
    ]),
  ];
}

function languages(build, folder, { languages: list = [], id }) {
  return list
    .map((language) => join('locales', language, `${id}.json`))
    .filter((path) => !build.has(join(folder, path)))
    .map((path) => `${path} is not there`);
}
