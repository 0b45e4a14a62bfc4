/** What a process ends with; docs/cli.md lists them. */
export const exits = { refused: 1, commandLine: 2, notAllowed: 3, noAnswer: 4 } as const;

/** What a person asked for and cannot have; said in one message, without a stack. */
export class Refusal extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exits.refused) {
    super(message);
    this.exitCode = exitCode;
  }
}
