// A process that loads a function app as the Node worker of Azure Functions does: by the `main` of its package.json,
// giving it the module `@azure/functions-core`, and calling what it registers through the model that it sets.
const Module = require('node:module');
const { join } = require('node:path');
const { randomUUID } = require('node:crypto');

const folder = process.argv[2];
const functions = new Map();
let model;
const core = {
  version: '3.14.1',
  hostVersion: '4.1052.200',
  workerVersion: '3.14.1',
  setProgrammingModel: (given) => {
    model = given;
  },
  getProgrammingModel: () => model,
  registerFunction(metadata, callback) {
    if (functions.has(metadata.name)) throw new Error(`A function named "${metadata.name}" was registered twice`);
    functions.set(metadata.name, { metadata, callback });
    return { dispose: () => functions.delete(metadata.name) };
  },
  registerHook: () => ({ dispose() {} }),
  log: () => undefined,
};
const load = Module._load;
Module._load = function (request, ...rest) {
  return request === '@azure/functions-core' ? core : load.call(this, request, ...rest);
};

async function invoke({ name, data, triggerMetadata, traceParent }) {
  const found = functions.get(name);
  if (!found) throw new Error(`no function ${name}`);
  const invocationId = randomUUID();
  const lines = [];
  const [binding] = Object.entries(found.metadata.bindings).find(([, { type }]) => /trigger$/i.test(type));
  const invocation = model.getInvocationModel({
    invocationId,
    metadata: found.metadata,
    request: {
      invocationId,
      inputData: [{ name: binding, data }],
      triggerMetadata: triggerMetadata ?? {},
      traceContext: traceParent ? { traceParent } : null,
    },
    log: (level, category, line) => lines.push({ level, category, line }),
  });
  try {
    const { context, inputs } = await invocation.getArguments();
    const result = await invocation.invokeFunction(context, inputs, found.callback);
    const { returnValue } = await invocation.getResponse(context, result);
    return { lines, returnValue };
  } catch (error) {
    return { lines, error: `${error?.name}: ${error?.message}` };
  }
}

const began = performance.now();
let failure = null;
try {
  require(join(folder, require(join(folder, 'package.json')).main));
} catch (error) {
  failure = String(error?.stack ?? error);
}
const ms = performance.now() - began;
process.on('message', async ({ id, ...call }) => {
  process.send({ id, ...(await invoke(call).catch((error) => ({ lines: [], error: String(error) }))) });
});
process.on('disconnect', () => process.exit());
process.send({
  ready: true,
  ms,
  failure,
  // A worker that is reported no function falls back to files that are not there, and says nothing.
  functions: [...functions.values()].map(({ metadata }) => metadata),
});
