import { Argument } from 'commander';
import { describe, expect, test } from 'vitest';
import type { AnyCommand } from '../../../src/commands/command.ts';
import { makeProgram } from '../../../src/commands/program.ts';
import type { Typed } from '../../../src/commands/run.ts';

function spec(name: string, args: readonly Argument[] = []): AnyCommand {
  const usage = { name, summary: name, description: name, examples: [], args };
  return { ...usage, runBare: () => Promise.resolve() };
}

const specs = [
  spec('images'),
  spec('images prune', [new Argument('[names...]', 'what to remove')]),
  spec('save', [new Argument('<file>', 'where to')]),
  spec('k3s install'),
  { ...spec('rollback'), wordMeans: '--to' },
];

async function typed(...words: readonly string[]): Promise<readonly [string, Typed]> {
  let seen: readonly [string, Typed] | undefined;
  const program = makeProgram(specs, (command, what) => {
    seen = [command.name, what];
    return Promise.resolve();
  });
  await program.parseAsync(words, { from: 'user' });
  if (seen === undefined) throw new Error('no command ran');
  return seen;
}

describe('a command line', () => {
  test('finds a command of one word, with its flags', async () => {
    const [name, { flags, args }] = await typed('images', '--dry-run');
    expect(name).toBe('images');
    expect(flags.dryRun).toBe(true);
    expect(args).toEqual([]);
  });

  test('finds a command of two words beside the one of its first word', async () => {
    const [name, { args }] = await typed('images', 'prune', 'a', 'b');
    expect(name).toBe('images prune');
    expect(args).toEqual(['a', 'b']);
  });

  test('gives options to the command that they follow', async () => {
    const [name, { flags }] = await typed('images', 'prune', '--dry-run');
    expect(name).toBe('images prune');
    expect(flags.dryRun).toBe(true);
  });

  test('refuses options between the two words, which would be lost', async () => {
    await expect(typed('images', '--dry-run', 'prune')).rejects.toThrow(
      'write --dry-run after prune',
    );
  });

  test('finds a command whose first word is none by itself', async () => {
    const [name] = await typed('k3s', 'install');
    expect(name).toBe('k3s install');
  });

  test('leaves out an operand that was not given', async () => {
    const [, { args }] = await typed('images', 'prune');
    expect(args).toEqual([]);
  });

  test('refuses what lacks an operand, and names the next command to type', async () => {
    const printed: string[] = [];
    const program = makeProgram(specs, () => Promise.resolve());
    const save = program.commands.find((command) => command.name() === 'save');
    save?.configureOutput({ writeErr: (text) => printed.push(text) });
    await expect(program.parseAsync(['save'], { from: 'user' })).rejects.toThrow(
      'missing required',
    );
    expect(printed.join('')).toContain('next: ciliumship save --help');
  });

  test('names the option that a word was meant for', async () => {
    const printed: string[] = [];
    const program = makeProgram(specs, () => Promise.resolve());
    const rollback = program.commands.find((command) => command.name() === 'rollback');
    rollback?.configureOutput({ writeErr: (text) => printed.push(text) });
    await expect(program.parseAsync(['rollback', '4'], { from: 'user' })).rejects.toThrow(
      'too many',
    );
    expect(printed.join('')).toBe(
      'error: rollback takes no word: 4\n  next: ciliumship rollback --to 4\n',
    );
  });
});
