import { ShipError } from '../core/errors.ts';
import type { Finished } from '../core/remote.ts';
import { lastLines } from '../core/text.ts';

/**
 * What Helm and the Kubernetes client below it write when the API server gives no answer, or gives up
 * one that it began. Helm 3 writes some of it with a capital letter, Helm 4 without.
 */
const UNREACHABLE = [
  /kubernetes cluster unreachable/i,
  // The client names the call that got no answer, whatever the reason.
  /\b(?:Get|Head|Post|Put|Patch|Delete) "https?:\/\/[^"]*": /,
  /connection refused|connection reset by peer|broken pipe|no route to host|network is unreachable/,
  /i\/o timeout|TLS handshake timeout|context deadline exceeded/,
  // A template that ends too early says so in the same words.
  /^Error: (?!.*(?:template|parse|YAML|JSON|values)).*\bEOF$/im,
  /etcdserver: |http2: (?:client connection lost|server sent GOAWAY)/,
  /the server (?:is currently unable to handle the request|was unable to return a response in the time allotted)/,
  /apiserver not ready|too many requests/i,
];
/** The API server answers: what it asks in turn does not. */
const ANSWERED = /failed calling webhook/;

/**
 * The error of a Helm that got no answer from the API server, by its words: it has no exit code for it.
 *
 * @param waited whether Helm was to wait for pods: its deadline may have been over for them only
 * @returns undefined when it failed for another reason
 */
export function unreachable({ stderr }: Finished, waited = false): ShipError | undefined {
  const lines = stderr.split('\n').filter((line) => !(waited && isOwnDeadline(line)));
  const said = lines.join('\n');
  if (ANSWERED.test(said) || !UNREACHABLE.some((words) => words.test(said))) return undefined;
  return new ShipError('network', 'helm cannot reach the API server', {
    details: lastLines(stderr, 5),
    retryable: true,
    hint: 'see whether K3s runs on the server node: sudo systemctl status k3s',
  });
}

function isOwnDeadline(line: string): boolean {
  return line.includes('context deadline exceeded') && !/cluster unreachable/i.test(line);
}
