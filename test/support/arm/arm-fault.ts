import type { Operation } from './arm-schema.ts';

/** What fails with one request: whether it is done all the same, and what the asker gets. */
export interface Fault {
  done: boolean;
  answer: Refusal | 'lost' | 'never';
}

export interface Refusal {
  status: number;
  /** None: a body that is not Azure's, as of a proxy. */
  code?: string;
  message?: string;
  headers?: Record<string, string>;
}

/** What was asked, and the status that it got; 0: no answer. */
export interface Asked {
  /** Null: nothing that jobs have. */
  operation: Operation | null;
  path: string;
  status: number;
}

/** Azure says no. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.refusal = { status, code, message };
  }
}

/** A request that breaks Microsoft's specification: a mistake of ours. */
export class Violation extends Refused {}
