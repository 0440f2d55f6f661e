import { join } from 'node:path';
import type { Config } from '../../config/normalise.ts';
import { Cleanup } from '../../core/cleanup.ts';
import { ShipError } from '../../core/errors.ts';
import { pullChart } from '../../system/helm-pull.ts';
import { temporaryFolder } from '../../system/temporary-folder.ts';
import type { Context } from '../command.ts';
import { readChartYaml } from './values.ts';

/** Configs whose chart was fetched: it is fetched once in a run. */
const fetched = new WeakSet<Config>();

/** A context whose chart is a folder of this machine, as long as it is held. */
export interface LocalChart<Flags extends object> extends AsyncDisposable {
  readonly context: Context<Flags>;
}

/**
 * Fetches a chart that lives in a repository or registry, so that what is checked is what Helm
 * installs. A folder is taken as it is.
 *
 * @throws ShipError `config` when there is none of that version, or it is another one
 */
export async function localChart<Flags extends object>(
  context: Context<Flags>,
): Promise<LocalChart<Flags>> {
  const { config, signal, output } = context;
  const { chart, remoteChart } = config.deploy;
  if (remoteChart === undefined || fetched.has(config)) {
    return { context, [Symbol.asyncDispose]: async () => undefined };
  }
  await using undo = new Cleanup();
  const into = undo.hold(temporaryFolder()).path;
  const name = await pullChart({ chart, ...remoteChart, into }, signal);
  const folder = join(into, name);
  const { version } = await readChartYaml(folder);
  // Helm takes a version for a range of them, and drops a build number.
  if (plain(version) !== plain(remoteChart.version)) {
    throw new ShipError(
      'config',
      `${chart}: Helm gave version ${version}, not ${remoteChart.version}`,
      {
        hint: 'set deploy.chartVersion to a version that the repository has',
      },
    );
  }
  output.note(`chart ${chart} ${version}`);
  const owned = undo.move();
  const local = { ...config, deploy: { ...config.deploy, chart: folder } };
  fetched.add(local);
  return {
    context: { ...context, config: local },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

function plain(version: string): string {
  return version.replace(/^v/, '');
}
