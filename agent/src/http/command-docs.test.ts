import { describe, expect, it } from '@jest/globals';
import { COMMANDS } from '../core/control/commands.ts';
import { commandsMarkdown } from './command-docs.ts';

describe('docs/commands.md', () => {
  it('has one row for every command, with every argument', () => {
    const lines = commandsMarkdown().split('\n');
    for (const { method, parameters } of COMMANDS) {
      const rows = lines.filter((line) => line.startsWith(`| \`${method}\` |`));
      expect([method, rows.length]).toEqual([method, 1]);
      for (const { name } of parameters) expect(rows[0]).toContain(`\`${name}\``);
    }
    expect(commandsMarkdown()).not.toMatch(/undefined|\[object/);
  });
});
