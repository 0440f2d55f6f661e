import { found, ok, onCluster, unknown, yours, type Problem } from './problem.ts';

function rollback(release: string, namespace: string, revision: number) {
  return yours({
    argv: ['helm', 'rollback', release, String(revision), '-n', namespace],
    effect: `makes a new revision of ${revision}, the last that was deployed; agents may restart`,
    undo: 'helm rollback to another revision',
  });
}

function uninstall(release: string, namespace: string) {
  return yours({
    argv: ['helm', 'uninstall', release, '-n', namespace],
    effect: 'ends what an earlier uninstall began; what is left of the release goes',
  });
}

export const e8: Problem = {
  id: 'E8',
  title: 'a Helm release is stuck in the middle of an operation',
  patterns: [
    /cannot re-?use a name that is still in use/i,
    /another operation \(install\/upgrade\/rollback\) is in progress/i,
  ],
  document:
    'An uninstall that was interrupted left a secret behind. Delete all secrets of the release with `kubectl delete secret -l owner=helm,name=cilium`.',
  known:
    'Deleting every secret also forgets the revisions of a release that runs, and with them every way back. The newest one’s status says what to do: `uninstalling` is ended by uninstalling again, `pending-*` is left by a Helm that was killed, and a rollback to the last deployed revision frees it. `helm upgrade --install`, which ciliumship uses, has no trouble with the name.',
  recognised:
    'the newest revision is pending-install, pending-upgrade, pending-rollback or uninstalling',
  example: rollback('cilium', 'kube-system', 3),
  look: onCluster(({ release, namespace, revisions }) => {
    if (revisions === undefined) return unknown('helm did not answer');
    const newest = revisions.at(-1);
    if (newest === undefined) return ok('there is no release');
    const proof = `revision ${newest.revision} is ${newest.status}`;
    if (!/^pending-|^uninstalling$/.test(newest.status)) return ok(proof);
    const last = revisions.findLast(({ status }) => /^(deployed|superseded)$/.test(status));
    const back = newest.status === 'uninstalling' || last === undefined;
    return found(
      proof,
      back ? uninstall(release, namespace) : rollback(release, namespace, last.revision),
    );
  }),
};
