import { examine } from '../../doctor/examine.ts';
import { problems } from '../../doctor/index.ts';
import type { View } from '../../doctor/view.ts';
import { settleStage } from '../../output/stage.ts';
import type { Context } from '../command.ts';
import { factsOf } from './evidence.ts';
import { findingsText } from './findings.ts';
import { connectFleet, type Fleet } from './fleet.ts';
import { selectNodes } from './nodes.ts';
import { json, type Texts } from './report-local.ts';
import { looking } from './stages.ts';
import { viewFleet } from './view.ts';

/**
 * What nodes and cluster show, as doctor sees them, and what it finds. Nothing is changed. A node that
 * cannot be reached says why in its file.
 *
 * @throws ShipError as `viewFleet`
 */
export async function fleetTexts(context: Context): Promise<Texts> {
  const nodes = selectNodes(context.config.nodes, context.flags.nodes);
  await using fleet = await connectFleet(context, nodes);
  const { view } = await viewFleet(context, fleet);
  const unseen = [...view.unseen].map(([name, why]) => [`nodes/${name}/unseen.txt`, why] as const);
  return [...viewTexts(view), ...unseen, ...(await outputTexts(context, fleet))];
}

function viewTexts(view: View): Texts {
  const findings = examine(view, problems);
  return [
    ['doctor.txt', findingsText(findings, true)],
    ['doctor.json', json(findings)],
    ['cluster.json', json(view.cluster ?? 'it did not answer')],
    ...view.nodes.map((seen) => [`nodes/${seen.node.name}/health.json`, json(seen)] as const),
  ];
}

async function outputTexts(context: Context, fleet: Fleet): Promise<Texts> {
  const steps = [...fleet.sessions].map(([name, session]) => ({
    id: name,
    title: `ask ${name} for its logs`,
    run: ({ signal }: { readonly signal: AbortSignal }) => factsOf(session, signal),
    describe: (files: Texts) => `${name} ${files.length} files`,
  }));
  const { results } = await settleStage('Collect', steps, looking(context));
  return [...results].flatMap(([name, files]) =>
    files.map(([file, text]) => [`nodes/${name}/${file}`, text] as const),
  );
}
