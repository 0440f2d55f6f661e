import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { scrub } from '../../core/scrub.ts';
import { secretsBelow } from '../../core/secret-values.ts';
import { escapeControls } from '../../core/text.ts';
import { readYaml } from '../../core/yaml.ts';
import type { BareContext } from '../command.ts';
import { secretsOf } from './kubeconfig.ts';
import type { Texts } from './report-local.ts';

const MAX_YAML = 1024 * 1024;

/**
 * Takes secrets out of everything that is about to leave this machine, in two ways: those that are known
 * (of the environment, the kubeconfig, the logins of Docker, and what config and values call one) in
 * every encoding and in every text, and whatever has the form of one.
 */
export async function withoutSecrets(context: BareContext, texts: Texts): Promise<Texts> {
  const { output } = context;
  const own = texts.filter(([name]) => name.startsWith('config/'));
  const known = [...own.map(([, text]) => text), ...(await credentialFiles(context))];
  for (const secret of known.flatMap(secretsIn)) output.hide(secret);
  const clean = (text: string): string => escapeControls(scrub(output.clean(text)));
  return texts.map(([name, text]) => [clean(name), clean(text)] as const);
}

/** Files whose secrets may be in any output. They are read for that, and not sent. */
async function credentialFiles({ flags }: BareContext): Promise<readonly string[]> {
  const given = flags.kubeconfig ?? process.env['KUBECONFIG'] ?? join(homedir(), '.kube', 'config');
  const docker = process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker');
  const files = [...given.split(delimiter), join(docker, 'config.json')];
  return Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
}

/** Values whose keys say that they are secret, wherever they stand in a YAML or JSON text. */
export function secretsIn(text: string): readonly string[] {
  const below = secretsBelow(readTree(text));
  return [...secretsOf(text), ...below.flatMap((value) => [value, ...decoded(value)])];
}

/** A text as a tree; undefined when it is neither YAML nor JSON. */
export function readTree(text: string): unknown {
  const parsed = readYaml(text, MAX_YAML);
  return 'problems' in parsed ? undefined : parsed.value;
}

/** What a Kubernetes Secret or a login of Docker holds in base64 shows up plainly elsewhere. */
function decoded(value: string): readonly string[] {
  if (!/^[A-Za-z0-9+/]{12,}={0,2}$/.test(value)) return [];
  const text = Buffer.from(value, 'base64').toString();
  return /^[\x20-\x7e]+$/.test(text) ? [text, text.slice(text.indexOf(':') + 1)] : [];
}
