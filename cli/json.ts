export { runJson } from '../shared/api/json.ts';

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}
