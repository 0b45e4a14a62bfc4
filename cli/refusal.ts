/** What a person asked for and cannot have; said in one message, without a stack. */
export class Refusal extends Error {}
