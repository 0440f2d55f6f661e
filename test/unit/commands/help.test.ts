import type { Option } from 'commander';
import { describe, expect, test } from 'vitest';
import type { AnyCommand } from '../../../src/commands/command.ts';
import { commonOptions, hookOptions } from '../../../src/commands/flags.ts';
import { commands } from '../../../src/commands/index.ts';
import { makeProgram } from '../../../src/commands/program.ts';

/** What ciliumship gets of a line that is typed: quotes resolved, up to where the shell takes over. */
function wordsOf(line: string): readonly string[] {
  const found = line
    .replace(/^source <\((.*)\)$/, '$1')
    .matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g);
  const words = [...found].map(([, double, single, plain]) => double ?? single ?? plain ?? '');
  const end = words.findIndex((word) => /^(\||>>?|;|&&)$/.test(word));
  return end < 0 ? words : words.slice(0, end);
}

/** The command that a line of an example comes to. Throws what is wrong with it. */
async function typed(line: string): Promise<string | undefined> {
  let name: string | undefined;
  const program = makeProgram(commands, async (spec) => {
    name = spec.name;
  });
  const [first, ...words] = wordsOf(line);
  expect(first).toBe('ciliumship');
  await program.parseAsync(words, { from: 'user' });
  return name;
}

const examples = commands.flatMap(({ name, examples: own }) =>
  own.map(([line]) => [line, name] as const),
);
const options = commands.flatMap((spec: AnyCommand): readonly (readonly [string, Option])[] =>
  [...(spec.options ?? []), ...hookOptions(spec), ...commonOptions(spec.formats)].map(
    (option) => [`${spec.name} ${option.long}`, option] as const,
  ),
);

describe('the help', () => {
  test.each(commands)('of $name has examples, and says what it does', (spec) => {
    expect(spec.examples.length).toBeGreaterThan(0);
    expect(spec.summary).toMatch(/^[a-z]/);
    expect(spec.description).toMatch(/\.$/);
    const help: string[] = [];
    const program = makeProgram(commands, () => Promise.resolve());
    const [first = '', second] = spec.name.split(' ');
    const outer = program.commands.find((command) => command.name() === first);
    const inner = outer?.commands.find((command) => command.name() === second) ?? outer;
    inner?.configureOutput({ writeOut: (text) => help.push(text) });
    inner?.outputHelp();
    for (const [line, meaning] of spec.examples) {
      expect(help.join('')).toContain(line);
      expect(help.join('')).toContain(meaning);
    }
  });

  test.each(examples)('shows %s, which can be typed', async (line, name) => {
    expect(await typed(line)).toBe(name);
  });

  test('every option can be set by a variable that is named after it', () => {
    for (const [name, option] of options) {
      const wanted = `CILIUMSHIP_${option.name().replaceAll('-', '_').toUpperCase()}`;
      expect(option.envVar, name).toBe(wanted);
    }
  });
});
