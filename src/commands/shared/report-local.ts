import { arch, cpus, release, totalmem, type as systemType } from 'node:os';
import { basename, join } from 'node:path';
import { findConfig } from '../../config/load.ts';
import { ShipError, toShipError } from '../../core/errors.ts';
import { isTree } from '../../deploy/tree.ts';
import { errorText } from '../../output/error.ts';
import { stateFolder } from '../../system/folders.ts';
import { filesBelow, readEnd } from '../../system/own-files.ts';
import type { BareContext } from '../command.ts';
import { readTree } from './report-secrets.ts';
import { readVersions } from './versions.ts';

/** Path inside of a report → text. */
export type Texts = readonly (readonly [name: string, text: string])[];

const LOGS = 10;
const RECEIPTS = 5;
const EVIDENCE = 2;
/** What ciliumship does depends on these; others are nobody's business. */
const VARIABLES =
  /^(CILIUMSHIP_\w+|KUBECONFIG|DOCKER_(HOST|CONTEXT|CONFIG)|XDG_\w+|LANG|LC_\w+|TERM|NO_COLOR|CI|PATH)$/;

/** What this machine is, and the versions of what runs on it. Throws ShipError `interrupted`. */
export async function machineTexts({ signal }: BareContext): Promise<Texts> {
  const versions = await readVersions(signal);
  const variables = Object.entries(process.env).filter(([name]) => VARIABLES.test(name));
  const machine = {
    system: `${systemType()} ${release()} ${arch()}`,
    processors: cpus().length,
    memory: totalmem(),
    folder: process.cwd(),
    environment: Object.fromEntries(variables),
  };
  return [
    ['versions.json', json(versions)],
    ['machine.json', json(machine)],
  ];
}

/** The newest logs of runs on this machine, whatever config they had. */
export async function logTexts(): Promise<Texts> {
  const logs = await filesBelow(stateFolder(), 'logs');
  return read('logs', logs.filter((file) => file.endsWith('.log')).slice(-LOGS));
}

/** The config as it is written, so that one that is broken can be reported too. */
export async function configTexts({ flags }: BareContext): Promise<Texts> {
  try {
    const file = await findConfig(flags.config, process.cwd());
    return await read('config', [file]);
  } catch (error) {
    return [['config/none.txt', errorText(toShipError(error), undefined)]];
  }
}

/** Values, lock, receipts and evidence that belong to a config. */
export async function runTexts(config: {
  readonly folder: string;
  readonly file: string;
  readonly deploy: { readonly values: string | undefined };
}): Promise<Texts> {
  const { folder, deploy } = config;
  const receipts = (await filesBelow(folder, '.ciliumship/receipts')).filter((file) =>
    file.endsWith('.json'),
  );
  const evidence = await filesBelow(folder, '.ciliumship/evidence');
  return [
    ...(await valuesText(deploy.values)),
    ...(await read('config', [join(folder, 'ciliumship.lock')])),
    ...(await read('receipts', receipts.slice(-RECEIPTS))),
    ...(await evidenceTexts(evidence)),
  ];
}

/** A config may name any file as its values: only a tree of keys is one. */
async function valuesText(file: string | undefined): Promise<Texts> {
  if (file === undefined) return [];
  const [found] = await read('config', [file]);
  if (found === undefined) return [['config/values.txt', `${file} cannot be read`]];
  return isTree(readTree(found[1])) ? [found] : [['config/values.txt', `${file} holds no values`]];
}

async function evidenceTexts(files: readonly string[]): Promise<Texts> {
  const marker = '/.ciliumship/evidence/';
  const named = files.map((file) => [file.slice(file.indexOf(marker) + marker.length), file]);
  const all = [...new Set(named.map(([name = '']) => name.split('/')[0]))];
  const folders = new Set(all.slice(-EVIDENCE));
  const kept = named.filter(([name = '']) => folders.has(name.split('/')[0]));
  const texts = kept.map(async ([name = '', file = '']): Promise<Texts> => {
    const text = await readEnd(file);
    return text === undefined ? [] : [[`evidence/${name}`, text]];
  });
  return (await Promise.all(texts)).flat();
}

async function read(folder: string, files: readonly string[]): Promise<Texts> {
  const texts = files.map(async (file): Promise<Texts> => {
    const text = await readEnd(file);
    return text === undefined ? [] : [[`${folder}/${basename(file)}`, text]];
  });
  return (await Promise.all(texts)).flat();
}

/** Maps and sets too. */
export function json(value: unknown): string {
  const plain = (_: string, item: unknown): unknown => {
    if (item instanceof Map) return Object.fromEntries(item);
    return item instanceof Set ? [...item] : item;
  };
  return JSON.stringify(value, plain, 2);
}

/** A text in place of one that could not be had. Throws when the run was interrupted. */
export async function orReason(
  name: string,
  signal: AbortSignal,
  ask: () => Promise<Texts>,
): Promise<Texts> {
  try {
    return await ask();
  } catch (error) {
    signal.throwIfAborted();
    return [[name, errorText(error instanceof ShipError ? error : toShipError(error), undefined)]];
  }
}
