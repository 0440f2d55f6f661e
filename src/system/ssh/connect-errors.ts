import { ShipError } from '../../core/errors.ts';
import type { HostSettings } from './resolve.ts';

/** What ssh2 emits: a system error, one with the level where it arose, or a code of SSH itself. */
export type ClientError = Error & { readonly level?: string; readonly code?: string | number };

export interface FailedAttempt {
  readonly node: string;
  readonly settings: HostSettings;
  readonly auth: { readonly tried: readonly string[]; readonly begun: boolean };
  /** What the program of a ProxyJump or ProxyCommand printed. */
  readonly said: readonly string[];
}

/**
 * Translates a connection that did not come about.
 *
 * @returns ShipError `identity` when we are refused, otherwise `network`
 */
export function connectError(attempt: FailedAttempt, error: ClientError): ShipError {
  if (attempt.said.some((line) => JUMP_REFUSED.test(line))) return jumpRefused(attempt, error);
  if (isRefusal(attempt, error)) return loginRefused(attempt, error);
  const { node, settings, said } = attempt;
  return new ShipError('network', `${node}: ${where(settings)} ${reasonOf(error)}`, {
    details: said,
    hint: isNameless(error)
      ? `see what ssh makes of the name: ssh -G ${settings.alias}; a config has it as nodes.${node}.ssh`
      : 'check that the node is up, then run the same command again',
    retryable: true,
    cause: error,
  });
}

function isNameless({ code }: ClientError): boolean {
  return code === 'ENOTFOUND';
}

/** The words of OpenSSH, which never translates them; a jump host tells nothing else. */
const JUMP_REFUSED = /host key verification failed|permission denied \(/i;

function jumpRefused({ node, settings, said }: FailedAttempt, cause: Error): ShipError {
  const way = settings.proxyJump ?? settings.proxyCommand ?? '';
  return new ShipError('identity', `${node}: the way through ${way} is refused`, {
    details: said,
    hint: `make this work first: ssh -o BatchMode=yes ${way}`,
    cause,
  });
}

/** sshd ends the connection itself after too many keys; a number is its reason. */
function isRefusal({ auth }: FailedAttempt, error: ClientError): boolean {
  return error.level === 'client-authentication' || (auth.begun && typeof error.code === 'number');
}

function loginRefused({ node, settings, auth }: FailedAttempt, error: ClientError): ShipError {
  const tried = auth.tried.join(', ') || 'nothing';
  const why = typeof error.code === 'number' ? `: ${error.message.toLowerCase()}` : '';
  return new ShipError('identity', `${node}: ${where(settings)} refuses us${why}; tried ${tried}`, {
    hint: `make this work first: ssh -o BatchMode=yes -p ${settings.port} ${settings.user}@${settings.hostname}`,
    cause: error,
  });
}

function where({ user, hostname, port }: HostSettings): string {
  return `${user}@${hostname}:${port}`;
}

function reasonOf(error: ClientError): string {
  if (error.level === 'client-timeout') return 'does not answer';
  return NETWORK_REASONS[String(error.code)] ?? error.message.toLowerCase();
}

const NETWORK_REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'has no address: the name cannot be resolved',
  EAI_AGAIN: 'cannot be looked up',
  ECONNREFUSED: 'refuses connections',
  EHOSTUNREACH: 'is unreachable',
  ENETUNREACH: 'is unreachable',
  ETIMEDOUT: 'does not answer',
  ECONNRESET: 'closed the connection',
};
