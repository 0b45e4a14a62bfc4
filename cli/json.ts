export { runJson } from '../shared/api/views.ts';

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}
