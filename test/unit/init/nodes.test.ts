import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseNodes, parseNode } from '../../../src/commands/shared/init-nodes.ts';
import {
  fileOf,
  freshConfig,
  ignoreFile,
  writeFiles,
} from '../../../src/commands/shared/init-files.ts';
import { readNodeSetup, SETUP_PROBES } from '../../../src/facts/node-setup.ts';
import { sshAliases } from '../../../src/system/ssh/aliases.ts';
import { fakeNode } from '../../support/fake-node.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'ciliumship-init-'));

describe('a node of --node', () => {
  it.each([
    ['master', 'master', 'master', undefined],
    ['admin@worker.example', 'worker', 'admin@worker.example', undefined],
    ['Worker.example:2222', 'worker', 'Worker.example:2222', undefined],
    ['a=server@master', 'a', 'master', 'server'],
    ['b=agent@admin@192.0.2.1:22', 'b', 'admin@192.0.2.1:22', 'agent'],
    ['c=192.0.2.1', 'c', '192.0.2.1', undefined],
  ])('%s', (text, name, ssh, role) => {
    expect(parseNode(text)).toEqual({ name, ssh, role });
  });

  it.each(['192.0.2.1', 'A B=master', '=x', '_=y'])('%s is refused', (text) => {
    expect(() => parseNode(text)).toThrow(/is no name of a node/);
  });

  it('is refused twice under one name', async () => {
    const twice = chooseNodes(['a=x', 'a=y'], undefined, undefined);
    await expect(twice).rejects.toThrow('two nodes are named a');
  });

  it('is missed with the hosts of the ssh configuration', async () => {
    const file = join(folder(), 'config');
    writeFileSync(file, 'Host one two\nHost *.example !three\n');
    await expect(chooseNodes([], file, undefined)).rejects.toMatchObject({
      kind: 'usage',
      details: ['hosts of your ssh configuration: one, two'],
      hint: expect.stringContaining('--node one') as unknown,
    });
  });
});

describe('hosts of an ssh configuration', () => {
  it('are its single names and those of what it includes, in order and once', () => {
    const home = folder();
    mkdirSync(join(home, 'conf.d'));
    writeFileSync(join(home, 'conf.d', 'a'), 'HOST = inner "quoted"\nHost outer\n');
    const file = join(home, 'config');
    const include = `Include ${join(home, 'conf.d')}/*`;
    writeFileSync(
      file,
      `# Host no\nHost outer *.wild ?x !not\n  User me\n${include}\nMatch host z\n`,
    );
    expect(sshAliases(file)).toEqual(['outer', 'inner', 'quoted']);
  });

  it('are none without a file, and of files that include each other', () => {
    const home = folder();
    const file = join(home, 'config');
    expect(sshAliases(file)).toEqual([]);
    writeFileSync(file, `Include ${file}\nHost self\n`);
    expect(sshAliases(file)).toEqual(['self']);
  });
});

describe('how a machine was set up', () => {
  const answers = {
    [SETUP_PROBES.hostname.join(' ')]: 'Node-7\n',
    [SETUP_PROBES.architecture.join(' ')]: 'x86_64\n',
    [SETUP_PROBES.folders.join(' ')]: 'agent\ndata\n',
    [SETUP_PROBES.settings.join(' ')]:
      'node-ip: 10.4.100.2,fd00::2\ncluster-cidr: "10.50.0.0/16"\n',
  };

  it('is read from its folders and the settings of K3s', async () => {
    const node = fakeNode((asked) => answers[asked]);
    expect(await readNodeSetup(node, AbortSignal.timeout(5000))).toEqual({
      nodeName: 'node-7',
      role: 'agent',
      platform: 'linux/amd64',
      nodeIp: '10.4.100.2',
      clusterCidr: '10.50.0.0/16',
      serviceCidr: undefined,
    });
  });

  it('is little before K3s is there, and nothing of settings that make no sense', async () => {
    const node = fakeNode((asked) =>
      asked === SETUP_PROBES.settings.join(' ')
        ? 'node-ip: ['
        : answers[asked] && asked.startsWith('ls')
          ? ''
          : answers[asked],
    );
    const setup = await readNodeSetup(node, AbortSignal.timeout(5000));
    expect(setup).toMatchObject({ role: undefined, nodeIp: undefined, nodeName: 'node-7' });
  });
});

describe('the settings of a machine that says anything', () => {
  it.each([
    ['a line again and again', "cluster-cidr: 'a'\n".repeat(20_000)],
    ['lists in lists', `node-ip: ${'['.repeat(1_000_000)}`],
  ])('D28: are read at once: %s', async (_, said) => {
    const node = fakeNode((asked) => (asked === SETUP_PROBES.settings.join(' ') ? said : ''));
    const before = process.threadCpuUsage();
    expect((await readNodeSetup(node, AbortSignal.timeout(60_000))).clusterCidr).toBeUndefined();
    expect(process.threadCpuUsage(before).user).toBeLessThan(1_000_000);
  });
});

describe('the files of init', () => {
  it('are new, and what is there is kept', async () => {
    const home = folder();
    const config = freshConfig(undefined, home);
    writeFileSync(join(home, '.gitignore'), 'dist');
    writeFileSync(join(home, 'values.yaml'), 'mine\n');
    const files = [
      await fileOf(config, 'version: 1\n'),
      await fileOf(join(home, 'values.yaml'), 'ours\n'),
      await ignoreFile(config),
    ];
    expect(files.map(({ state }) => state)).toEqual(['new', 'kept', 'added to']);
    await writeFiles(files);
    const again = await ignoreFile(config);
    expect(again).toMatchObject({ state: 'kept', text: 'dist\n.ciliumship/\n' });
    expect(await fileOf(join(home, 'values.yaml'), '')).toMatchObject({ text: 'mine\n' });
    expect(() => freshConfig(undefined, home)).toThrow('init overwrites nothing');
  });

  it('never replace one that appeared meanwhile', async () => {
    const home = folder();
    const file = await fileOf(join(home, 'a'), 'ours');
    writeFileSync(file.path, 'theirs');
    await expect(writeFiles([file])).rejects.toThrow(`cannot write ${file.path}`);
    expect(await fileOf(file.path, '')).toMatchObject({ text: 'theirs' });
  });
});
