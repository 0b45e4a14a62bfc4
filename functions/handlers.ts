// What the functions do; a file of its own in the package, which is read when the first of them is called.
export { daily } from './daily.ts';
export { http } from './http.ts';
export { launch } from './launch.ts';
export { tick } from './tick.ts';
export { watch } from './watch.ts';
