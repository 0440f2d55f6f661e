import { e1 } from './e1.ts';
import { e2 } from './e2.ts';
import { e3 } from './e3.ts';
import { e4 } from './e4.ts';
import { e5 } from './e5.ts';
import { e6 } from './e6.ts';
import { e7 } from './e7.ts';
import { e8 } from './e8.ts';
import { e9 } from './e9.ts';
import { e10 } from './e10.ts';
import { e11 } from './e11.ts';
import { e12 } from './e12.ts';
import { e13 } from './e13.ts';
import { e14 } from './e14.ts';
import { e15 } from './e15.ts';
import { e16 } from './e16.ts';
import { e17 } from './e17.ts';
import { e18 } from './e18.ts';
import { k1 } from './k1.ts';
import { k2 } from './k2.ts';
import { k3 } from './k3.ts';
import { k4 } from './k4.ts';
import { n1 } from './n1.ts';
import { n2 } from './n2.ts';
import { n3 } from './n3.ts';
import { n4 } from './n4.ts';
import { n5 } from './n5.ts';
import { n6 } from './n6.ts';
import { n7 } from './n7.ts';
import { n8 } from './n8.ts';
import { n9 } from './n9.ts';
import type { Problem } from './problem.ts';

/**
 * Every known problem: E and K as the hand procedure numbers them, N those found since.
 */
export const problems: readonly Problem[] = [
  e1,
  e2,
  e3,
  e4,
  e5,
  e6,
  e7,
  e8,
  e9,
  e10,
  e11,
  e12,
  e13,
  e14,
  e15,
  e16,
  e17,
  e18,
  k1,
  k2,
  k3,
  k4,
  n1,
  n2,
  n3,
  n4,
  n5,
  n6,
  n7,
  n8,
  n9,
];
