// Writes workbook.json, which Bicep loads. To be done again when a query or the workbook changes; a test says so.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workbookText } from './workbook.ts';

writeFileSync(join(import.meta.dirname, 'workbook.json'), workbookText());
