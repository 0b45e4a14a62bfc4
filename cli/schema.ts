import { writeFile } from 'node:fs/promises';
import { manifestSchema } from '../shared/manifest/manifest.ts';

/** Writes the JSON Schema that editors use, from the schema that the program uses: `node cli/schema.ts`. */
const file = new URL('../infra/job.schema.json', import.meta.url);
await writeFile(file, `${JSON.stringify(manifestSchema(), null, 2)}\n`);
