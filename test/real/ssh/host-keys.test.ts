import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { exitCode, type ShipError } from '../../../src/core/errors.ts';
import { failureOf } from '../../support/docker-build.ts';
import { missingPart, run } from '../../support/parts.ts';
import { knownLines, makeKey, makeSshFiles, type SshFiles } from '../../support/ssh-files.ts';
import { SSHD, startSshd, type OwnSshd } from '../../support/sshd.ts';

/** Which keys of a host are accepted, and that nobody is told who we are before. */
const missing = await missingPart('sshd', () => run(['test', '-x', SSHD]));

let files: SshFiles;
let sshd: OwnSshd;
let other: string;
beforeAll(async () => {
  if (missing !== undefined) return;
  files = makeSshFiles();
  sshd = await startSshd(join(files.folder, 'node'));
  other = makeKey(join(files.folder, 'other'));
  files.addHost('port', sshd);
  for (const name of ['plain', 'wild', 'hashed', 'negated']) {
    files.addHost(name, sshd, { lines: [`HostKeyAlias ${name}.example`] });
  }
});
afterAll(async () => {
  await sshd?.stop();
  files?.remove();
});

/** How known_hosts may name a host: alias → the names of its line. */
const FORMS = {
  plain: () => 'plain.example',
  port: () => `[127.0.0.1]:${sshd.port}`,
  wild: () => 'wil?.*',
  hashed: () => 'hashed.example',
  negated: () => '!nothing.example,*.example',
} as const satisfies Record<string, () => string>;

type Form = keyof typeof FORMS;
type State = 'known' | 'unknown' | 'changed' | 'revoked';

function linesOf(form: Form, state: State): readonly string[] {
  const names = FORMS[form]();
  const key = sshd.hostKeys[0] ?? '';
  // A line that excludes the host by name must not count, whatever else it matches.
  const excluded = form === 'negated' ? [`!negated.example,*.example ${other}`] : [];
  const lines: Readonly<Record<State, readonly string[]>> = {
    known: [`${names} ${key}`],
    unknown: [`elsewhere.invalid ${key}`],
    changed: [`${names} ${other}`],
    revoked: [`${names} ${key}`, `@revoked ${names} ${key}`],
  };
  return [...excluded, ...lines[state]];
}

/** Replaces known_hosts; for the hashed form every name in it becomes a hash. */
async function know(form: Form, lines: readonly string[]): Promise<void> {
  files.know(...lines);
  if (form === 'hashed') await run(['ssh-keygen', '-q', '-H', '-f', files.knownHosts]);
}

/** Tries to log in. @returns undefined when it worked */
async function refusal(
  alias: string,
  hostKeys: 'strict' | 'accept-new',
): Promise<ShipError | undefined> {
  const before = sshd.log().length;
  const opened = files.open(alias, { hostKeys });
  const session = await opened.catch(() => undefined);
  if (session !== undefined) {
    await session[Symbol.asyncDispose]();
    return undefined;
  }
  const told = /Accepted|Failed|authenticating user/.exec(sshd.log().slice(before));
  if (told !== null) throw new Error(`the refused host was told who we are: ${told.input}`);
  return failureOf(opened);
}

/** The same attempt by ssh itself, with known_hosts as it is and left alone. */
async function acceptedBySsh(alias: string, hostKeys: 'strict' | 'accept-new'): Promise<boolean> {
  const copy = join(files.folder, 'known_hosts.ssh');
  copyFileSync(files.knownHosts, copy);
  const checking = hostKeys === 'strict' ? 'yes' : hostKeys;
  const options = [
    'BatchMode=yes',
    `StrictHostKeyChecking=${checking}`,
    `UserKnownHostsFile=${copy}`,
  ];
  const words = options.flatMap((option) => ['-o', option]);
  const { exitCode: code } = await execa('ssh', ['-F', files.config, ...words, alias, 'true'], {
    reject: false,
    stdin: 'ignore',
  });
  return code === 0;
}

/** What became of an attempt, in short. */
function outcome(error: ShipError | undefined): string {
  if (error === undefined) return 'accepted';
  const why = /is unknown|has changed|is revoked/.exec(error.message)?.[0];
  return `exit ${exitCode(error.kind)}${error.retryable ? ', retry' : ''}: ${why}`;
}

const OUTCOMES: Readonly<Record<'strict' | 'accept-new', Readonly<Record<State, string>>>> = {
  strict: {
    known: 'accepted',
    unknown: 'exit 6: is unknown',
    changed: 'exit 6: has changed',
    revoked: 'exit 6: is revoked',
  },
  'accept-new': {
    known: 'accepted',
    unknown: 'accepted',
    changed: 'exit 6: has changed',
    revoked: 'exit 6: is revoked',
  },
};

describe.skipIf(missing !== undefined)('host keys', () => {
  const states = ['known', 'unknown', 'changed', 'revoked'] as const;
  const cases = (Object.keys(FORMS) as Form[]).flatMap((form) =>
    states.flatMap((state) =>
      (['strict', 'accept-new'] as const).map((mode) => ({ form, state, mode })),
    ),
  );

  test.each(cases)('D1: $mode and a $state key under a $form name', async (chosen) => {
    const { form, state, mode } = chosen;
    await know(form, linesOf(form, state));
    const before = readFileSync(files.knownHosts, 'utf8');
    expect(await acceptedBySsh(form, mode)).toBe(OUTCOMES[mode][state] === 'accepted');
    expect(outcome(await refusal(form, mode))).toBe(OUTCOMES[mode][state]);
    const after = readFileSync(files.knownHosts, 'utf8');
    expect(after === before).toBe(state !== 'unknown' || mode === 'strict');
    // What was accepted once is known from then on, and what was refused still is.
    expect(outcome(await refusal(form, 'strict'))).toBe(OUTCOMES[mode][state]);
  });

  test('F12: a host key that changed names the host, the new key and the way out', async () => {
    files.know(`[127.0.0.1]:${sshd.port} ${other}`);
    const error = await refusal('port', 'accept-new');
    const [, fingerprint = ''] = (await run(['ssh-keygen', '-lf', hostKeyFile()])).split(' ');
    expect(error?.message).toContain(`[127.0.0.1]:${sshd.port} has changed`);
    expect(error?.message).toContain(fingerprint);
    expect(error?.hint).toContain(
      `ssh-keygen -R '[127.0.0.1]:${sshd.port}' -f ${files.knownHosts}`,
    );
    expect(error && exitCode(error.kind)).toBe(6);
  });
});

function hostKeyFile(): string {
  return join(files.folder, 'node', 'host_ed25519.pub');
}

describe.skipIf(missing !== undefined)('known_hosts', () => {
  beforeEach(() => files.know(...knownLines(sshd)));

  test('D2: a host known only through a certificate authority is refused by name', async () => {
    files.know(`@cert-authority [127.0.0.1]:${sshd.port} ${other}`);
    for (const mode of ['strict', 'accept-new'] as const) {
      const error = await refusal('port', mode);
      expect(error?.message).toContain('only through @cert-authority, which is not supported');
      expect(error && exitCode(error.kind)).toBe(6);
    }
  });

  test('D2: a key under the host without its port is taken, as ssh takes it', async () => {
    files.know(`127.0.0.1 ${sshd.hostKeys[0]}`);
    expect(await refusal('port', 'strict')).toBeUndefined();
    files.know(`127.0.0.1 ${other}`);
    expect((await refusal('port', 'strict'))?.message).toContain('is unknown');
  });

  test('D2: a file that cannot be read is a refusal, not an empty file', async () => {
    rmSync(files.knownHosts);
    mkdirSync(files.knownHosts);
    try {
      const error = await refusal('port', 'accept-new');
      expect(error?.message).toContain(`${files.knownHosts} cannot be read: EISDIR`);
      expect(error && exitCode(error.kind)).toBe(6);
    } finally {
      rmSync(files.knownHosts, { recursive: true });
    }
  });

  test('D2: a first host makes the folder and the file of known_hosts, for its owner only', async () => {
    const folder = join(files.folder, 'new');
    files.addHost('first', sshd, { unknown: true, lines: [`UserKnownHostsFile ${folder}/hosts`] });
    expect(await refusal('first', 'accept-new')).toBeUndefined();
    expect(readFileSync(join(folder, 'hosts'), 'utf8')).toBe(`${knownLines(sshd)[0]}\n`);
    expect(await run(['stat', '-c', '%a', folder, join(folder, 'hosts')])).toBe('700\n600');
  });

  test('D2: a new key never joins a last line that has no end', async () => {
    writeFileSync(files.knownHosts, `elsewhere.invalid ${other}`);
    expect(await refusal('port', 'accept-new')).toBeUndefined();
    expect(readFileSync(files.knownHosts, 'utf8')).toBe(
      `elsewhere.invalid ${other}\n${knownLines(sshd)[0]}\n`,
    );
  });

  test('D2: RevokedHostKeys is obeyed, as a list of keys and as a KRL', async () => {
    const [list, krl] = [join(files.folder, 'revoked'), join(files.folder, 'krl')];
    for (const [alias, file] of [
      ['listed', list],
      ['krl', krl],
    ] as const) {
      files.addHost(alias, sshd, { lines: [`RevokedHostKeys ${file}`] });
    }
    writeFileSync(list, `${other}\n`);
    await run(['ssh-keygen', '-q', '-k', '-f', krl, join(files.folder, 'other.pub')]);
    for (const alias of ['listed', 'krl']) expect(await refusal(alias, 'strict')).toBeUndefined();
    appendFileSync(list, `${sshd.hostKeys[0]}\n`);
    await run(['ssh-keygen', '-q', '-k', '-u', '-f', krl, hostKeyFile()]);
    for (const alias of ['listed', 'krl']) {
      expect((await refusal(alias, 'accept-new'))?.message).toContain('is revoked');
    }
    rmSync(list);
    expect((await refusal('listed', 'strict'))?.message).toContain('cannot be read');
  });
});
