/** What a person does is what the pipeline does when a newer run replaces an older one. */
export { cancel } from '../pipeline/cancel.ts';
