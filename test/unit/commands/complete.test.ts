import { describe, expect, it } from 'vitest';
import { complete } from '../../../src/commands/complete.ts';
import { commands } from '../../../src/commands/index.ts';
import { makeProgram } from '../../../src/commands/program.ts';

const names = {
  nodes: (config: string | undefined) =>
    Promise.resolve(config === 'other.yaml' ? ['other'] : ['master', 'worker']),
  images: () => Promise.resolve(['cilium', 'hubble-relay']),
  parts: ['images', 'release'],
  problems: [{ word: 'E1', meaning: 'an orphaned XDP link' }],
};

async function words(...typed: readonly string[]): Promise<readonly string[]> {
  const program = makeProgram(commands, () => Promise.resolve());
  return (await complete(program, typed, names)).map(({ word }) => word);
}

describe('completion', () => {
  it('knows commands, also those of two words', async () => {
    expect(await words('sh')).toEqual(['ship']);
    expect(await words('images', 'pr')).toEqual(['prune']);
  });

  it('knows options and their values', async () => {
    expect(await words('push', '--no-b')).toEqual(['--no-build']);
    expect(await words('push', '-o', 'y')).toEqual(['yaml']);
    expect(await words('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('knows the nodes of the config, each once in a list', async () => {
    expect(await words('push', '--nodes', '')).toEqual(['master', 'worker']);
    expect(await words('push', '--nodes', 'master,')).toEqual(['master,worker']);
    expect(await words('push', '-c', 'other.yaml', '--nodes', '')).toEqual(['other']);
  });

  it('knows the images of the config, each once, and the command below', async () => {
    expect(await words('images', '')).toEqual(['prune', 'cilium', 'hubble-relay']);
    expect(await words('images', 'cilium', 'h')).toEqual(['hubble-relay']);
    expect(await words('images', '--nodes', '')).toEqual(['master', 'worker']);
  });

  it('knows what can be compared, as a list', async () => {
    expect(await words('drift', '--only', 'images,')).toEqual(['images,release']);
  });

  it('knows the problems, and leaves files to the shell', async () => {
    expect(await words('explain', 'E')).toEqual(['E1']);
    expect(await words('push', '--archive', '')).toEqual([]);
  });
});
