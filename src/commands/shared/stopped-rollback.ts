import { ShipError, toShipError } from '../../core/errors.ts';
import type { Context } from '../command.ts';
import { stateOf, type Scene } from './undo-errors.ts';

/**
 * Runs the part of a rollback that changes something. An interrupted one stays as it is, and it is
 * said how it goes on.
 *
 * @param revision where it goes
 */
export async function sayingWhatStays<T>(
  { flags, output, signal }: Context,
  revision: number,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (signal.aborted && flags.dryRun !== true) output.note(staysText(revision));
    throw error;
  }
}

/** What somebody needs to know who interrupted a rollback, or the undoing of a rollout. */
export function staysText(revision: number): string {
  return `the rollback to revision ${revision} stays as far as it came: finish it with ciliumship rollback --to ${revision}`;
}

/**
 * Runs what follows once Helm was asked.
 *
 * @throws ShipError `deploy` naming the state and what to type; what `act` throws when it was
 * interrupted or only planned
 */
export async function namingTheState(
  { flags, signal }: Context,
  scene: Scene,
  revision: number,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (signal.aborted || flags.dryRun === true) throw error;
    const { message, details } = toShipError(error);
    const said = `${message}; the rollback to revision ${revision} is not finished`;
    throw new ShipError('deploy', said, {
      cause: error,
      details: [...details, ...(await stateOf(scene))],
      hint: `mend it, then: ciliumship rollback --to ${revision}`,
    });
  }
}
