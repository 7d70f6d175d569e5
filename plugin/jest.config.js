process.env.TZ = 'UTC';

const base = require('./.config/jest.config');
const { grafanaESModules, nodeModulesToTransform } = require('./.config/jest/utils');

/** Packages that the scaffold's list lacks: published as ES modules alone. */
const MORE_ES_MODULES = [
  'd3-[a-z-]+',
  'internmap',
  'delaunator',
  'robust-predicates',
  '@grafana/react-data-grid',
  '@react-hookz/web',
  '@ver0',
  '@openfeature',
];

module.exports = {
  ...base,
  setupFiles: ['<rootDir>/jest-polyfills.js'],
  transform: { '^.+\\.m?[tj]sx?$': Object.values(base.transform)[0] },
  transformIgnorePatterns: [nodeModulesToTransform([...grafanaESModules, ...MORE_ES_MODULES])],
};
