import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { HookName } from '../../config/normalise.ts';
import { ShipError, toShipError } from '../../core/errors.ts';
import { lastLines } from '../../core/text.ts';
import { runProcess } from '../../system/process.ts';
import type { CommandSpec, Context } from '../command.ts';
import type { HooksFlag } from '../flags.ts';

const ANY_CODE = Array.from({ length: 255 }, (_, index) => index + 1);
/** They are told what has happened; the others are asked. */
const TOLD = new Set<HookName>(['after-push', 'after-deploy', 'on-failure']);

/**
 * Looks at the hooks that a command may run, before it does anything: whoever runs it has said whether
 * programs of the config may run, and those are there.
 *
 * @throws ShipError `usage` without a choice, `config` for what cannot be run
 */
export async function requireHooks(
  spec: Pick<CommandSpec, 'name' | 'hooks'>,
  { config, flags, output }: Context<HooksFlag>,
): Promise<void> {
  const named = (spec.hooks ?? []).flatMap((name) => config.hooks.programs.get(name) ?? []);
  if (named.length === 0 || flags.dryRun === true) return;
  if (flags.hooks === 'skip') output.note(`skipped hooks: ${named.join(', ')}`);
  if (flags.hooks === undefined) throw undecided(spec.name, named);
  if (flags.hooks === 'run') await Promise.all(named.map(requireProgram));
}

function undecided(command: string, named: readonly string[]): ShipError {
  return new ShipError('usage', 'the config names hooks, and nobody said whether they may run', {
    details: named,
    hint: `look at them, then ciliumship ${command} --hooks run, or --hooks skip to do without`,
  });
}

async function requireProgram(path: string): Promise<void> {
  await access(path, constants.X_OK).catch((cause: unknown) => {
    throw new ShipError('config', `the hook ${path} is not there, or is no program`, {
      hint: `make it one: chmod +x ${path}`,
      cause,
    });
  });
}

/**
 * Runs a hook of the config, when there is one and it may run; in a dry run it is only named. It gets
 * the receipt so far on standard input, and what it prints is shown without secrets.
 *
 * @throws ShipError `config` when one that is asked beforehand says no; what is told afterwards is
 * only noted, because what it is told has happened
 */
export async function runHook(context: Context<HooksFlag>, name: HookName): Promise<void> {
  const { flags, output, config, signal } = context;
  const path = config.hooks.programs.get(name);
  if (path === undefined) return;
  if (flags.dryRun === true) return output.note(`would run the hook ${name}: ${path}`);
  if (flags.hooks !== 'run') return;
  try {
    await run(context, name, path);
  } catch (error) {
    signal.throwIfAborted();
    if (!TOLD.has(name)) throw error;
    output.note(`${toShipError(error).message}; what it was told stays as it is`);
  }
}

/** Whether a hook is there that will be asked. */
export function mayAsk({ flags, config }: Context<HooksFlag>, name: HookName): boolean {
  return flags.hooks === 'run' && flags.dryRun !== true && config.hooks.programs.has(name);
}

/** Tells `on-failure`; not after Ctrl-C, when everyone waits for the end. */
export async function tellFailure(
  spec: Pick<CommandSpec, 'hooks'>,
  context: Context<HooksFlag>,
): Promise<void> {
  if (spec.hooks === undefined || context.signal.aborted) return;
  // The failure itself is what the user has to hear of.
  await runHook(context, 'on-failure').catch((error: unknown) => {
    context.output.note(toShipError(error).message);
  });
}

async function run(context: Context, name: HookName, path: string): Promise<void> {
  const { config, output, signal, receiptSoFar } = context;
  const { timeout } = config.hooks;
  const { code, stdout, stderr } = await runProcess([path], {
    cwd: config.folder,
    env: environmentOf(context, name),
    input: `${JSON.stringify(receiptSoFar?.() ?? null)}\n`,
    timeout,
    signal,
    withDescendants: true,
    linesOf: 'all',
    onLine: (line) => output.note(`${name}: ${line}`),
    accept: ANY_CODE,
    late: () => said(name, path, `did not end within ${timeout / 1000} s and was ended`, []),
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    if (cause instanceof ShipError && cause.kind === 'config') throw cause;
    throw said(name, path, toShipError(cause).message, [], cause);
  });
  if (code !== 0) {
    throw said(name, path, `ended with exit code ${code}`, lastLines(`${stdout}\n${stderr}`, 5));
  }
}

function said(
  name: HookName,
  path: string,
  what: string,
  details: readonly string[],
  cause?: unknown,
): ShipError {
  return new ShipError('config', `the hook ${name} (${path}) ${what}`, {
    details,
    hint: 'mend what it says, or do without: --hooks skip',
    cause,
  });
}

/** A prefix of its own: `CILIUMSHIP_NODES` would be a flag of a ciliumship that the hook runs. */
function environmentOf({ config, flags }: Context, name: HookName): Record<string, string> {
  return {
    CILIUMSHIP_HOOK: name,
    CILIUMSHIP_HOOK_CONFIG: config.file,
    CILIUMSHIP_HOOK_NODES: config.nodes.map((node) => node.name).join(','),
    CILIUMSHIP_HOOK_ONLY_NODES: flags.nodes ?? '',
    CILIUMSHIP_HOOK_TAG: config.tag,
    CILIUMSHIP_HOOK_RELEASE: config.deploy.release,
    CILIUMSHIP_HOOK_NAMESPACE: flags.namespace ?? config.deploy.namespace,
  };
}
