/** Code that Grafana's reviewers refuse, found in the sources. */

const RULES = [
  [/\bconsole\.\w+\(/, 'console.*: say it in the panel, or not at all'],
  [
    /\bwindow\.(confirm|alert|prompt)\(|(?<![\w.])(confirm|alert|prompt)\(/,
    'a dialog of the browser: use ConfirmModal',
  ],
  [/\bwindow\.location\b|\bdocument\.location\b/, 'window.location: use locationService'],
  [/\bwindow\.open\((?![^)]*noopener)/, 'window.open without noopener,noreferrer'],
  [/@ts-ignore|@ts-nocheck/, '@ts-ignore: use @ts-expect-error with a reason, or a type'],
  [/import\s+['"][^'"]+\.(css|scss|sass)['"]/, 'an imported style sheet: use useStyles2'],
  [/\bgf-form/, 'gf-form: a class of old Grafana'],
  [/\/api\/ds\/query/, '/api/ds/query: needs a backend'],
  [/__SECRET_INTERNALS|__CLIENT_INTERNALS/, 'internals of React'],
  [/from ['"]react-dom\/client['"]/, 'react-dom/client: would bundle a second React DOM'],
  [/from ['"]rxjs\/operators['"]/, 'rxjs/operators: import from rxjs, which Grafana shares'],
  [/from ['"]@grafana\/\w+\/(unstable|internal)/, 'an unstable or internal part of Grafana'],
  [/from ['"]@grafana\/(toolkit|aws-sdk|e2e)['"]/, 'a package that Grafana has given up'],
  [/from ['"]grafana\/app\//, 'a module of Grafana itself'],
  [/\bdangerouslySetInnerHTML\b|\.innerHTML\s*=/, 'HTML from text'],
  [/\beval\(|new Function\(/, 'code from text'],
  [/\bdocument\.cookie\b/, 'cookies'],
  [/\bReactDOM\.(render|findDOMNode)\b|\bfindDOMNode\(/, 'removed in React 19'],
  [/extends (React\.)?(Pure)?Component\b/, 'a class component'],
  [/\.(defaultProps|propTypes)\s*=/, 'ignored by React 19'],
];

/** @param {import('./files.mjs').Build} source @returns {string[]} */
export function sourceProblems(source) {
  return source.paths
    .filter((path) => /\.(tsx?|jsx?)$/.test(path) && !/\.(test|testkit)\.tsx?$|__tests__|__mocks__/.test(path))
    .flatMap((path) => {
      const lines = source.text(path).split('\n');
      return lines.flatMap((line, index) =>
        /^\s*(\/\/|\*|\/\*)/.test(line)
          ? []
          : RULES.filter(([pattern]) => pattern.test(line)).map(([, why]) => `src/${path}:${index + 1}: ${why}`),
      );
    });
}
