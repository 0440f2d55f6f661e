import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { findConfig, loadConfig } from '../../../src/config/load.ts';
import { ShipError } from '../../../src/core/errors.ts';

const MINIMAL = `version: 1
source: ../cilium
nodes:
  master: { ssh: master, role: server }
`;

const PROCEDURE = `version: 1
source: ../cilium
tag: vxlan-xdp-dev
nodes:
  master: { ssh: master, role: server, dataInterface: eth0, dataAddress: 10.4.100.1/16, profile: master-layout }
  worker: { ssh: admin@worker.example, role: agent, dataInterface: eth1, dataAddress: 10.4.100.2/16, profile: worker-layout }
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ciliumship-config-'));
});

async function write(text: string): Promise<string> {
  const file = join(folder, 'ciliumship.yaml');
  await writeFile(file, text);
  return file;
}

/** The lines that a broken config is reported with. */
async function problemsOf(text: string): Promise<readonly string[]> {
  const error: unknown = await loadConfig(await write(text)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ShipError);
  expect((error as ShipError).kind).toBe('config');
  return (error as ShipError).details;
}

describe('a good config', () => {
  test('needs no more than a source and a node', async () => {
    const config = await loadConfig(await write(MINIMAL));
    expect(config.nodes.map((node) => [node.name, node.role, node.devices])).toEqual([
      ['master', 'server', []],
    ]);
    expect(config.images.map((image) => image.key)).toEqual(['cilium', 'operator-generic']);
    expect(config.deploy.chart).toBe(join(folder, '../cilium/install/kubernetes/cilium'));
  });

  test('takes the data interface as the device when none is named', async () => {
    const config = await loadConfig(await write(PROCEDURE));
    expect(config.nodes.map((node) => node.devices)).toEqual([['eth0'], ['eth1']]);
  });

  test('may hold keys of the user that start with x-', async () => {
    await expect(loadConfig(await write(`${MINIMAL}x-note: ours\n`))).resolves.toBeDefined();
  });

  test('is found in a folder above', async () => {
    const file = await write(MINIMAL);
    const { mkdir } = await import('node:fs/promises');
    await mkdir(join(folder, 'a/b'), { recursive: true });
    await expect(findConfig(undefined, join(folder, 'a/b'))).resolves.toBe(file);
  });
});

describe('a bad config', () => {
  test('F54: names unknown keys with their line and a suggestion, all at once', async () => {
    const text = MINIMAL.replace('source:', 'sorce: x\nsource:').replace('role:', 'rol: x, role:');
    expect(await problemsOf(text)).toEqual([
      'line 2: sorce: unknown key; did you mean source?',
      'line 5: nodes.master.rol: unknown key; did you mean role?',
    ]);
  });

  test('F55: says in plain words which kind of value a key takes', async () => {
    const text = `${MINIMAL.replace('version: 1\n', '')}\ndeploy: { timeout: 2, offline: "no" }\n`;
    const problems = (await problemsOf(text)).join('\n');
    expect(problems).toContain('deploy.timeout: must be text; a number');
    expect(problems).toContain('deploy.offline: must be true or false');
    expect(problems).not.toContain('expected');
  });

  test('F54: does not pass over a key that somebody takes for one of ours', async () => {
    const problems = await problemsOf(`${MINIMAL}strictHostKey: false\n`);
    expect(problems).toEqual([expect.stringMatching(/^line \d+: strictHostKey: unknown key/)]);
  });

  test.each([
    ['.nan', 'transfer.concurrency: '],
    ['1e21', 'transfer.concurrency: '],
    ['-1', 'transfer.concurrency: '],
    ['"8"', 'transfer.concurrency: '],
  ])('F55: is refused with %s where a number of things belongs', async (value, where) => {
    const problems = await problemsOf(`${MINIMAL}transfer: { concurrency: ${value} }\n`);
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^line \\d+: ${where}`))]);
  });

  test('F55: may name no node twice, and not more nodes than one run can have', async () => {
    const node = (name: string): string => `  ${name}: { ssh: ${name}, role: agent }\n`;
    const twice = await problemsOf(`version: 1\nsource: .\nnodes:\n${node('a')}${node('a')}`);
    expect(twice).toEqual(['line 5: the key a is there twice']);
    const many = Array.from({ length: 300 }, (_, at) => node(`n${at}`)).join('');
    const problems = await problemsOf(`version: 1\nsource: .\nnodes:\n${many}`);
    expect(problems.join('\n')).toMatch(/line \d+: nodes: /);
  });

  test('F55: may not give two nodes one address', async () => {
    const text = PROCEDURE.replace('10.4.100.2', '10.4.100.1');
    expect(await problemsOf(text)).toEqual([
      "line 6: nodes.worker.dataAddress: 10.4.100.1 is already master's",
    ]);
  });

  test('may not put pods into the network of the nodes (E18)', async () => {
    const text = PROCEDURE.replace('100.1/16', '100.1/8');
    const problems = await problemsOf(text);
    expect(problems).toContain(
      'line 5: nodes.master.dataAddress: 10.4.100.1/8 overlaps k3s.clusterCidr 10.42.0.0/16; pods would hide the node network',
    );
  });

  test('may not leave data addresses off-link without a route (E18)', async () => {
    const text = PROCEDURE.replace('10.4.100.2', '10.2.100.1');
    expect(await problemsOf(text)).toHaveLength(2);
    const routed = `${text}routes:
  - { node: master, to: 10.2.100.1/32, via: eth0 }
  - { node: worker, to: 10.4.100.1/32, via: eth1 }
`;
    await expect(loadConfig(await write(routed))).resolves.toBeDefined();
  });

  test('needs profiles when nodes differ in devices', async () => {
    const text = PROCEDURE.replaceAll(/, profile: \w+-layout/g, '');
    expect(await problemsOf(text)).toHaveLength(2);
  });

  test('that is not YAML is an error with its line', async () => {
    expect((await problemsOf('version: 1\nnodes: [\n'))[0]).toMatch(/^line \d: /);
  });

  test('F56: that is an alias bomb is refused at once', async () => {
    const rows = Array.from(
      { length: 9 },
      (_, i) =>
        `x-a${i + 1}: &a${i + 1} [*a${i},*a${i},*a${i},*a${i},*a${i},*a${i},*a${i},*a${i},*a${i}]`,
    );
    const bomb = `x-a0: &a0 [lol]\n${rows.join('\n')}\n${MINIMAL}`;
    const started = performance.now();
    await expect(loadConfig(await write(bomb))).rejects.toMatchObject({ kind: 'config' });
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('that does not exist is an error that says how to begin', async () => {
    await expect(findConfig(undefined, folder)).rejects.toMatchObject({
      kind: 'config',
      hint: expect.stringContaining('--config FILE'),
    });
  });

  test.each(['-oProxyCommand=touch x', 'a b', 'a;b', '$(id)', 'a\nb', ''])(
    'D5: refuses %j as an ssh destination',
    async (destination) => {
      const text = MINIMAL.replace('ssh: master', `ssh: ${JSON.stringify(destination)}`);
      expect((await problemsOf(text))[0]).toContain('nodes.master.ssh');
    },
  );
});

describe('a key that is no text', () => {
  test.each([
    ['null: 2', 'line 5: a key must be text'],
    [': 2', 'line 5: a key must be text'],
    ['? [a]\n: 2', 'line 5: a key must be text'],
    ['.nan: 2', 'line 5: a key must be text'],
    ['1: 2', 'line 5: 1: unknown key'],
    ['true: 2', 'line 5: true: unknown key'],
  ])('is refused with its line: %s', async (line, problem) => {
    expect(await problemsOf(`${MINIMAL}${line}\n`)).toEqual([problem]);
  });
});

test('a value of the wrong form is shown beside what it should be, unless it may hold a password', async () => {
  const said = await problemsOf(
    `version: 1\nsource: .\ntag: no tag\nplatform: linux/arm\nnodes:\n  a: { ssh: 'root:hunter2@host', role: boss }\n`,
  );
  const text = said.join('\n');
  expect(text).toContain('tag: "no tag" is not an image tag');
  expect(text).toContain('must be linux/amd64 or linux/arm64, not "linux/arm"');
  expect(text).toContain('nodes.a.role: must be server or agent, not "boss"');
  expect(text).toContain('nodes.a.ssh: must be an ssh alias');
  expect(text).not.toContain('hunter2');
});
