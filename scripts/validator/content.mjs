/** What Grafana's validator asks of the files beside plugin.json: texts, pictures, bundles with their source maps. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENSES = /Apache License|MIT License|BSD \d-Clause|GNU (LESSER |AFFERO )?GENERAL PUBLIC LICENSE/i;
/** For those who build the plugin, not for those who read the catalogue. */
const JARGON = /\b(yarn|npm|npx|pnpm|node\.?js|webpack|jest|eslint|mage|golang|docker-compose)\b/i;
const TEMPLATE = /Plugin Template|This template is a starting point|TODO|Lorem ipsum/i;
const SVG_ELEMENTS =
  /^(svg|g|path|rect|circle|ellipse|line|polyline|polygon|text|tspan|defs|linearGradient|radialGradient|stop|clipPath|mask|title|desc|use|symbol)$/;
/** Ours: the app loads with Grafana and has lazy parts; a nested plugin loads when it is shown, whole. */
const APP_BYTES = 50 * 1024;
const NESTED_BYTES = 200 * 1024;

/** Left in a bundle, they break under React 19 or under Grafana's rules. */
const BUNDLE = [
  [/__SECRET_INTERNALS_DO_NOT_USE/, 'uses internals of React 18'],
  [/\bReactCurrent(Owner|Dispatcher)\b/, 'uses internals of React 18'],
  [/\bfindDOMNode\b|\bunmountComponentAtNode\b|\bcreateFactory\(|ReactDOM\.render\(/, 'uses what React 19 has removed'],
  [/Symbol\.for\(["']react\.element["']\)/, 'bundles a JSX runtime of React 18'],
  [/\.(propTypes|contextTypes|childContextTypes)\s*=/, 'sets propTypes, which React 19 ignores'],
  [/googletagmanager|google-analytics|segment\.(io|com)|posthog|plausible\.io|hotjar|mixpanel/i, 'tracks its users'],
  [/grafana\/app\/|angular\.module/, 'uses Angular or Grafana’s own modules'],
];

/** @param {import('./files.mjs').Build} build @param {string} source of the plugin @returns {string[]} */
export function contentProblems(build, source) {
  return [
    ...readme(build),
    ...(build.has('CHANGELOG.md') && /^##? /m.test(build.text('CHANGELOG.md'))
      ? []
      : ['CHANGELOG.md: empty or missing']),
    ...(build.has('LICENSE') && LICENSES.test(build.text('LICENSE'))
      ? []
      : ['LICENSE: missing, or not an accepted one']),
    ...build.paths.filter((path) => path.endsWith('.svg')).flatMap((path) => svg(path, build.text(path))),
    ...build.plugins().flatMap(({ folder }) => bundle(build, folder)),
    ...build.paths.filter((path) => path.endsWith('.js')).flatMap((path) => forbidden(path, build.text(path))),
    ...build.paths.filter((path) => path.endsWith('.js.map')).flatMap((path) => sourceMap(build, path, source)),
  ];
}

function readme(build) {
  if (!build.has('README.md')) return ['README.md: missing'];
  const text = build.text('README.md');
  const links = [...text.matchAll(/\]\(([^)\s]+)/g)].map(([, link]) => link);
  return [
    ...(text.trim().length < 300 ? ['README.md: says too little'] : []),
    ...(text.includes('<!--') ? ['README.md: has HTML comments'] : []),
    ...(TEMPLATE.test(text) ? ['README.md: has text of a template'] : []),
    ...(JARGON.test(text) ? [`README.md: "${JARGON.exec(text)?.[0]}" is for developers, keep it elsewhere`] : []),
    ...links
      .filter((link) => !/^https:\/\/|^#/.test(link))
      .map((link) => `README.md: link ${link} works nowhere but beside this file; write it with https`),
  ];
}

function svg(path, text) {
  const elements = [...text.matchAll(/<([a-zA-Z][\w:-]*)/g)].map(([, name]) => name);
  return [
    ...elements.filter((name) => !SVG_ELEMENTS.test(name)).map((name) => `${path}: <${name}> is not on the safe list`),
    ...(/\son\w+\s*=|javascript:|(xlink:)?href\s*=\s*["'](?!#)/i.test(text)
      ? [`${path}: scripts or foreign links`]
      : []),
  ];
}

function bundle(build, folder) {
  const path = join(folder, 'module.js');
  if (!build.has(path)) return [`${path}: missing`];
  const bytes = build.bytes(path).length;
  const most = folder === '.' ? APP_BYTES : NESTED_BYTES;
  return [
    ...(build.has(`${path}.map`) ? [] : [`${path}.map: missing`]),
    ...(bytes <= most ? [] : [`${path}: ${bytes} bytes before lazy parts, at most ${most}`]),
  ];
}

function forbidden(path, text) {
  return BUNDLE.filter(([pattern]) => pattern.test(text)).map(([, why]) => `${path}: ${why}`);
}

/** A map must show the sources that were built: every file of ours in it is as it is on disk. */
function sourceMap(build, path, source) {
  const { sources = [], sourcesContent = [] } = JSON.parse(build.text(path));
  const own = sources.map((name, index) => [/^webpack:\/\/[^/]+\/\.\/(.+\.tsx?)(\?\w+)?$/.exec(name)?.[1], index]);
  const wrong = own.filter(([name, index]) => {
    if (name === undefined) return false;
    const file = join(source, name);
    return !existsSync(file) || !isSame(readFileSync(file, 'utf8'), sourcesContent[index] ?? '');
  });
  return wrong.map(([name]) => `${path}: ${name} is not the source that was built; build again`);
}

/** The loader puts an import of its own before each module.ts. */
const isSame = (onDisk, inMap) => inMap.trimEnd().endsWith(onDisk.trimEnd());
