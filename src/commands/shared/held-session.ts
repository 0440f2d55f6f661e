import type { Session } from '../../system/ssh/session.ts';

/**
 * A session that does nothing more on its node once the lock of the node is lost: the command that is
 * under way is given up, and every later one fails with the reason, those that clean up among them,
 * for what lies there is somebody else's by then.
 */
export function heldSession(session: Session, lost: AbortSignal): Session {
  const whileHeld = <Options extends { readonly signal?: AbortSignal }>(options: Options) => ({
    ...options,
    signal: AbortSignal.any([lost, ...(options.signal === undefined ? [] : [options.signal])]),
  });
  const held = async <T>(act: () => Promise<T>): Promise<T> => {
    lost.throwIfAborted();
    return act();
  };
  return {
    ...session,
    run: (argv, options = {}) => held(() => session.run(argv, whileHeld(options))),
    write: (path, source, options = {}) =>
      held(() => session.write(path, source, whileHeld(options))),
    rename: (from, to) => held(() => session.rename(from, to)),
    remove: (path) => held(() => session.remove(path)),
  };
}
