import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import Docker from 'dockerode';
import { dockerExecutor } from '../../../shared/executors/docker/docker.ts';

/** A host of its own that starts the attempt it reads from stdin, says so, and waits to be killed. */
const { spec, root, ...options } = JSON.parse(await text(process.stdin));
const executor = dockerExecutor({
  ...options,
  docker: new Docker(),
  attemptFolder: ({ job, run, attempt }) => join(root, job, run, `${attempt}`),
  limits: () => options.limits,
  ended: () => {},
  trouble: console.error,
});
await executor.adopt();
console.log(await executor.start(spec));
