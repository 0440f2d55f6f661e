import { Command, InvalidArgumentError, type Option } from 'commander';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { commonOptions, type CommonFlags } from '../../../src/commands/flags.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

function optionOf(flag: string): Option {
  const found = commonOptions().find(({ long }) => long === flag);
  if (found === undefined) throw new Error(`no ${flag}`);
  return found;
}

/** What commander makes of the text of a flag. */
function parsed(flag: string, text: string): unknown {
  return optionOf(flag).parseArg?.(text, undefined);
}

/** The flags of a whole command line. */
function flagsOf(...args: readonly string[]): CommonFlags {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  for (const option of commonOptions()) command.addOption(option);
  return command.parse(args, { from: 'user' }).opts<CommonFlags>();
}

describe.each(['--timeout', '--lock-wait'])('%s', (flag) => {
  test.each(['250ms', '90s', '5m', '1h', '0s'])('takes %s as it is written', (text) => {
    expect(parsed(flag, text)).toBe(text);
  });

  test.each(['', '5', '5 m', '-5m', '1.5h', '5min', '1234567s', 'm'])('refuses %j', (text) => {
    expect(() => parsed(flag, text)).toThrow(new InvalidArgumentError('Write 90s, 5m or 1h.'));
    expect(() => parsed(flag, text)).toThrow(InvalidArgumentError);
  });
});

describe('--concurrency', () => {
  test.each([
    ['1', 1],
    ['256', 256],
  ])('takes %s', (text, count) => {
    expect(parsed('--concurrency', text)).toBe(count);
  });

  test.each(['0', '-1', '257', '1.5', 'many', '', 'Infinity'])('refuses %j', (text) => {
    expect(() => parsed('--concurrency', text)).toThrow(InvalidArgumentError);
  });
});

describe('a command line', () => {
  test('gives what is written on it, and text as the format', () => {
    expect(flagsOf('--timeout', '5m', '--concurrency', '2', '--dry-run')).toEqual({
      timeout: '5m',
      concurrency: 2,
      dryRun: true,
      output: 'text',
    });
  });

  test('wins over the environment, which is read and checked as well', () => {
    vi.stubEnv('CILIUMSHIP_LOCK_WAIT', '1m');
    expect(flagsOf().lockWait).toBe('1m');
    expect(flagsOf('--lock-wait', '2m').lockWait).toBe('2m');
    vi.stubEnv('CILIUMSHIP_LOCK_WAIT', 'soon');
    expect(() => flagsOf()).toThrow('CILIUMSHIP_LOCK_WAIT');
  });

  test.each([
    [['--timeout', 'soon'], 'commander.invalidArgument'],
    [['--concurrency', '0'], 'commander.invalidArgument'],
    [['--output', 'xml'], 'commander.invalidArgument'],
    [['--not-there'], 'commander.unknownOption'],
  ])('%j is a usage error', (args, code) => {
    expect(() => flagsOf(...args)).toThrowError(expect.objectContaining({ code }));
  });
});
