import type { NodeFacts } from '../facts/node-facts.ts';
import type { NodeSetup } from '../facts/node-setup.ts';
import type { Role } from '../core/node.ts';

/** A node that someone named. */
export interface NamedNode {
  readonly name: string;
  readonly ssh: string;
  /** Undefined: as the machine itself says. */
  readonly role: Role | undefined;
}

/** A node that was named, and what it says of itself. */
export interface Machine extends NamedNode {
  readonly facts: NodeFacts;
  readonly setup: NodeSetup;
}
